"""Residences (alamat): where somebody is registered (KTP) and where somebody lives (domisili), from when to when."""
