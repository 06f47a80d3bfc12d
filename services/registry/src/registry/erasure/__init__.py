"""Destroying the personal data of one person (penghapusan): ordered by one, done by another, with a report."""
