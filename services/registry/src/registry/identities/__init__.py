"""Identity claims (klaim identitas): a NIK is what somebody says with a state, never a key of anything."""
