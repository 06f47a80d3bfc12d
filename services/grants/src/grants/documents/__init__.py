"""Documents (berkas): kind, number, date, issuer and the digest of the file. Never replaced, only superseded."""
