"""Budget lines (rekening anggaran): the ceiling that every promise of money is taken from."""
