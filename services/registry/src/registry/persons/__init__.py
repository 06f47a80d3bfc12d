"""Persons (orang): one row a person, with names as dated rows; life, residence and family are slices of their own."""
