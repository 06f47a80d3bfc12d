"""Registry: who people are, where they live, and what is known about them."""
