"""Who acts, and what the token lets them do. Services come in by `requires`, `public` and `Actor`."""
