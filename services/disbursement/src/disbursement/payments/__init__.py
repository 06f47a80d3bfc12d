"""Payments (pembayaran): one line per payee, its attempts, the files to the bank and the results from it."""
