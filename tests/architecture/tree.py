"""The source tree as the rules see it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVICES = ("registry", "disbursement", "grants", "notifications")


def sources(*places: str) -> list[Path]:
    """Python files of the product below these folders (all of it when none is named), tests and migrations aside."""
    folders = [ROOT / place for place in places] or [ROOT / "services", ROOT / "libs"]
    return sorted(
        file
        for folder in folders
        for file in folder.rglob("*.py")
        if not {"tests", "migrations", ".venv"} & set(file.relative_to(ROOT).parts)
    )


@cache
def parse(file: Path) -> ast.Module:
    return ast.parse(file.read_text(), str(file))


def place(file: Path, node: ast.AST) -> str:
    return f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Every call with the dotted name of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)
