"""Contacts (kontak) [restricted]: encrypted numbers and addresses, whose they are, and what the owner agreed to."""
