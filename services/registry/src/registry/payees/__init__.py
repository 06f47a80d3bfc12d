"""Payee accounts (rekening penerima) [restricted]: where a person's money goes, checked, replaced by two people."""
