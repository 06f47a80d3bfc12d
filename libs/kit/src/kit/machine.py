"""Transition tables: the legal moves of an aggregate as data, and the one function that reads them.

Domain modules may import this; it imports only the standard library.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

SYSTEM = "system"
"""The role of rules that act without a person: schedulers, consumers."""

S = TypeVar("S", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was refused or decided: a code of `contracts/reference/reasons.yaml` and the values of its blanks."""

    code: str
    params: tuple[tuple[str, str | int], ...] = ()

    @classmethod
    def of(cls, code: str, **params: str | int) -> "Reason":
        """Build a reason with named values; they must hold no personal data, since they reach logs and answers."""
        return cls(code, tuple(sorted(params.items())))


@dataclass(frozen=True, slots=True)
class Refusal:
    """The command was understood and may not happen.

    `kind` says what stood in the way: the `role` of the actor (HTTP 403), the `state` of the aggregate or a
    `guard` (HTTP 409).
    """

    kind: Literal["role", "state", "guard"]
    reasons: tuple[Reason, ...]

    @classmethod
    def because(cls, *codes: str) -> "Refusal":
        """Refuse by guard with reason codes that have no blanks."""
        return cls("guard", tuple(Reason(code) for code in codes))


@dataclass(frozen=True, slots=True)
class Context:
    """Who acts and when. `now` is UTC, `today` the civil day of the office; both are the business clock's."""

    actor: str
    roles: frozenset[str]
    now: datetime
    today: date
    person_id: UUID | None = None
    unit: str | None = None


Guard = Callable[[Any, Any, Context], Reason | None]
"""A sentence with a yes or a no: (aggregate, command, context) to the reason against, or None."""


@dataclass(frozen=True, slots=True)
class Move(Generic[S]):
    """One row of a transition table. `source` None means the aggregate does not exist yet."""

    source: S | None
    command: type
    target: S
    roles: frozenset[str]
    guards: tuple[Guard, ...] = ()
    event: str | None = None


def find(
    moves: Iterable[Move[S]], source: S | None, command: object, aggregate: object, ctx: Context
) -> Move[S] | Refusal:
    """The move that the table allows, or the refusal.

    Rows with equal source and command are tried in order: the first whose role fits and whose guards are silent is
    taken, so two rows may lead to different targets. All guards of a row speak; a refusal holds every reason.
    """
    rows = [m for m in moves if m.source == source and isinstance(command, m.command)]
    if not rows:
        state = "none" if source is None else source.value
        return Refusal("state", (Reason.of("langkah_tidak_berlaku", state=state, command=type(command).__name__),))
    open_rows = [m for m in rows if m.roles & ctx.roles]
    if not open_rows:
        return Refusal("role", (Reason("peran_tidak_berwenang"),))
    refusal: Refusal | None = None
    for move in open_rows:
        reasons = tuple(r for guard in move.guards if (r := guard(aggregate, command, ctx)) is not None)
        if not reasons:
            return move
        refusal = refusal or Refusal("guard", reasons)
    assert refusal is not None  # noqa: S101 - open_rows is not empty
    return refusal


def allows(moves: Iterable[Move[S]], source: S | None, command: type, roles: Iterable[str]) -> bool:
    """Whether some row names this state, command and one of these roles (guards aside): the oracle of cell tests."""
    held = frozenset(roles)
    return any(m.source == source and issubclass(command, m.command) and bool(m.roles & held) for m in moves)


def diagram(moves: Sequence[Move[Any]]) -> str:
    """The table as a Mermaid state diagram, for the generated pages of docs."""
    lines = ["stateDiagram-v2"]
    for move in moves:
        source = "[*]" if move.source is None else move.source.value
        who = ", ".join(sorted(move.roles))
        lines.append(f"    {source} --> {move.target.value}: {_command(move.command)} ({who})")
    return "\n".join(dict.fromkeys(lines)) + "\n"


def _command(command: type) -> str:
    """`RecordMatch` as `record_match`."""
    return "".join("_" + c.lower() if c.isupper() and i else c.lower() for i, c in enumerate(command.__name__))
