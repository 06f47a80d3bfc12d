"""Recovery (penagihan kembali) of money that should not have been paid, as far as its notice."""
