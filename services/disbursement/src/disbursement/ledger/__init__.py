"""Double-entry ledger (buku besar): budget, cash and obligation, each journal summing to zero."""
