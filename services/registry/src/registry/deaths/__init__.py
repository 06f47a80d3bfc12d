"""Deaths (kematian): one record a person and an akta over all years, from report to certificate and, when false, revocation."""
