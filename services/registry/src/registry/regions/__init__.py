"""Regions (wilayah): Kemendagri codes with the dates between which each counts. Read by all, written by migrations only."""
