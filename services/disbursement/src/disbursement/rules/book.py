"""A rule version read whole: criteria, benefit and papers. Pure; everyone may import it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from disbursement.rules import ast, benefit, papers


@dataclass(frozen=True, slots=True)
class Book:
    """What a rule version says."""

    rule: ast.Rule
    benefit: benefit.Benefit
    papers: tuple[papers.Requirement, ...]


def read(rule: Mapping[str, Any], worth: Mapping[str, Any], docs: Sequence[Mapping[str, Any]]) -> Book:
    """Read the three parts; raises RuleError with the place of the first fault."""
    return Book(ast.parse(rule), benefit.parse(worth), papers.parse(docs))
