"""Death-benefit claims (klaim santunan kematian), from the counter to the payment and its objections."""
