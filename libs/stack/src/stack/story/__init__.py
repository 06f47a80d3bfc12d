"""The story of the demonstration, told through the public APIs by the persons who would do it.

Kota Depok, March 2023: a family list is imported, a death stops a monthly aid, two hundred heirs claim the death benefit,
a batch is paid, one payment comes back and is repaired, one death was false, one institution is registered. `run` may be
repeated at any time: every request carries the same idempotency key, so nothing happens twice.
"""

from stack.story.telling import run

__all__ = ["run"]
