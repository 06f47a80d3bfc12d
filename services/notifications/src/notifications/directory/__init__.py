"""Directory (buku alamat dinas): where offices and institutions get their mail. Citizens' contacts stay with registry."""
