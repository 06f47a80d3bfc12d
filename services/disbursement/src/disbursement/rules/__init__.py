"""Eligibility as data: criteria over facts, what a benefit is worth, which papers it asks for."""
