"""Grants: social-welfare institutions (LKS) and their standing."""
