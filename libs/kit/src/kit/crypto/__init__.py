"""Encryption of restricted fields and blind indexes over them; keys come from settings, never from here."""
