"""Payment batches (daftar pembayaran): a frozen list, its gates, its approvals, its way to the bank."""
