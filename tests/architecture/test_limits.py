"""The table of limits says what the code does."""

import importlib
import re

import pytest
from architecture.tree import ROOT

ROWS = re.findall(r"\| ([0-9.]+) [a-z]+ \| `([\w.]+)` \|", (ROOT / "docs" / "limits.md").read_text())


@pytest.mark.parametrize(("value", "place"), ROWS, ids=[place for _, place in ROWS])
def test_a_limit_stands_in_the_table_as_in_the_code(value: str, place: str) -> None:
    module, name = place.rsplit(".", 1)
    assert str(getattr(importlib.import_module(module), name)) == value


def test_the_table_is_read() -> None:
    assert len(ROWS) >= 30
