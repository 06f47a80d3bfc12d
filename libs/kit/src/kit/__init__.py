"""The mechanism that the services share: no noun of the field may enter (docs/adr/0001)."""
