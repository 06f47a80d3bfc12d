"""Families (keluarga, KK): who belongs together from when to when; the card number is a dated credential, no identity."""
