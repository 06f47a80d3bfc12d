"""Facts (fakta): the only attributes other services may use, one row a person, built by one statement from the slices."""
