"""Disbursement: who is entitled to what, and every rupiah on its way to them."""
