"""Eligibility (kelayakan): a function of what is known on a day, never a state; stored only when somebody asks for that."""
