"""HTTP for all services: problems, idempotency, conditional requests, paging, limits, the application factory."""
