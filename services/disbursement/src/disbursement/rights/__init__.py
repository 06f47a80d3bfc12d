"""Rights (hak): cycles and the single rights to one benefit of one period."""
