"""How long the fuzzing tries. In `make test` little, and the same every time; `make fuzz` asks for much and other luck."""

import os
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings

T = TypeVar("T")
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
"""Examples per property; zero means: the short, repeatable run."""

SECONDS = 5.0
"""No input of a few kilobytes may keep a parser longer."""

fuzzed = settings(
    max_examples=EXAMPLES or 100,
    derandomize=not EXAMPLES,
    deadline=SECONDS * 1000,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def share(items: Sequence[T], turn: int, of: int) -> Sequence[T]:
    """In the short run every `of`-th item, beginning with another one each turn, so that all have theirs; else all."""
    return items if EXAMPLES else items[turn % of :: of]


def storable(values: Iterable[Any]) -> bool:
    """Whether PostgreSQL takes every text among the values: no NUL, no half surrogate pair."""
    texts = [value for value in values if isinstance(value, str)]
    return not any("\x00" in text or any("\ud800" <= c <= "\udfff" for c in text) for text in texts)
