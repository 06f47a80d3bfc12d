"""Made-up people for demonstrations, tests and loads: plainly synthetic, the same for the same seed."""
