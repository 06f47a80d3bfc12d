"""Receipts (laporan kirim): what providers report later; stored raw at once, understood afterwards."""
