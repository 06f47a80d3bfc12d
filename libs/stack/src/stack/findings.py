"""What was looked at and how it is, in plain sentences."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; what is wrong comes with its next step."""

    what: str
    next_step: str = ""
    good: bool = False


def fine(what: str, hint: str = "") -> Finding:
    """Something that is as it should be."""
    return Finding(what, hint, good=True)
