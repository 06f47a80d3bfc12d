"""What a person has to mend before the stack can go on, and how they hear what goes on. Everybody in `stack` raises and says; only `cli` prints."""

from collections.abc import Callable

Say = Callable[[str], None]
"""Tells a person one step of long work."""


class Trouble(Exception):
    """Something is in the way: `what` says what is wrong, `next_step` what to do about it, both in plain sentences."""

    def __init__(self, what: str, next_step: str = "") -> None:
        super().__init__(f"{what} {next_step}".strip())
        self.what = what
        self.next_step = next_step
