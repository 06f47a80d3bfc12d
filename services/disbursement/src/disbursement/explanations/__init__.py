"""Decisions as they were taken, and the answers to "why" that are read from them."""
