"""Enrolments (kepesertaan): who holds a place in a recurring programme, by which decree (SK)."""
