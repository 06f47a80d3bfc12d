"""Suppressions (alamat yang tidak dikirimi): addresses that are dead or were withdrawn, kept as keyed hashes."""
