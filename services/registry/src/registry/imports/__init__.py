"""Family lists (daftar keluarga) from files: received, checked, approved by another person, applied once."""
