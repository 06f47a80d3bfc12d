"""Difference (selisih): opened by a file or a count, explained with a document by one, resolved by another."""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from kit.machine import Context, Move, Reason, Refusal, find

ALARM_WORKING_DAYS = 5


class State(StrEnum):
    OPEN = "open"
    EXPLAINED = "explained"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Item:
    """The difference as far as its moves depend on it."""

    state: State
    explained_by: str | None = None
    explainer_person_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Explain:
    """Say with a document where the difference comes from (jelaskan)."""

    explanation: str
    document_id: UUID | None


@dataclass(frozen=True, slots=True)
class Resolve:
    """Another person accepts the explanation (selesaikan)."""


Command = Explain | Resolve


@dataclass(frozen=True, slots=True)
class Found:
    """A difference as found. `ref` tells one from another of the same kind."""

    kind: str
    ref: str
    level: int
    difference_idr: int
    batch_id: UUID | None = None
    line_id: UUID | None = None
    attempt_id: UUID | None = None
    result_file_id: UUID | None = None
    row_no: int | None = None


def a_document_is_given(_: Item, command: Explain, __: Context) -> Reason | None:
    """A difference is explained on paper."""
    return None if command.document_id else Reason.of("dokumen_wajib", doc="penjelasan")


def another_person_resolves(item: Item, _: Resolve, ctx: Context) -> Reason | None:
    """By account and, where both are known, by person."""
    same = ctx.actor == item.explained_by or (ctx.person_id is not None and ctx.person_id == item.explainer_person_id)
    return Reason("penjelasan_sendiri") if same else None


OFFICER = frozenset({"recon_officer"})
SECOND = frozenset({"recon_officer", "kabid"})
MOVES: tuple[Move[State], ...] = (
    Move(State.OPEN, Explain, State.EXPLAINED, OFFICER, (a_document_is_given,)),
    Move(State.EXPLAINED, Explain, State.EXPLAINED, OFFICER, (a_document_is_given,)),
    Move(State.EXPLAINED, Resolve, State.RESOLVED, SECOND, (another_person_resolves,), "recon.resolved"),
)


@dataclass(frozen=True, slots=True)
class Decision:
    """The difference after the command, and the event that tells of it."""

    item: Item
    event: str | None


def decide(item: Item, command: Command, ctx: Context) -> Decision | Refusal:
    """The difference after the command, or the refusal with every reason."""
    match find(MOVES, item.state, command, item, ctx):
        case Refusal() as refusal:
            return refusal
        case Move(target=target, event=event):
            after = replace(item, state=target)
            if isinstance(command, Explain):
                after = replace(after, explained_by=ctx.actor, explainer_person_id=ctx.person_id)
            return Decision(after, event)
