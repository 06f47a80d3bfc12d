"""Messages (pesan): planned from events, sent by a worker with a lease, proved by receipts, explained by their trace."""
