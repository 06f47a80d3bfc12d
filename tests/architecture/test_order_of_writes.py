"""A row is written before anybody is told of it: its lock is what makes the order of events the order of the row."""

import ast
from collections.abc import Iterator

from architecture.tree import parse, place, sources

TELLING = {"announce", "tell", "_tell"}


def first(function: ast.AST, names: set[str]) -> Iterator[tuple[str, ast.Call]]:
    """Calls of these names in a function, each with the variable of the row that it is about, in the order of the text."""
    found = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    for node in sorted(found, key=lambda node: (node.lineno, node.col_offset)):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        rows = [a.id for a in node.args[:2] if isinstance(a, ast.Name) and a.id != "uow"]
        if name in names and rows:
            yield rows[0], node


def test_a_row_is_saved_before_it_is_announced() -> None:
    faults, seen = [], 0
    for file in sources("services"):
        for function in ast.walk(parse(file)):
            if not isinstance(function, ast.AsyncFunctionDef):
                continue
            saved = {row: node.lineno for row, node in reversed([*first(function, {"save"})])}
            for row, node in first(function, TELLING):
                seen += row in saved
                if saved.get(row, 0) > node.lineno:
                    faults.append(f"{place(file, node)} tells of {row} before it is saved")
    assert not faults, faults
    assert seen > 20
