"""Import runs (impor daftar): what may happen to an uploaded list, and who may make it happen.

Nobody approves what they uploaded. A list that would change or lose too much is held, and then the head decides.
"""

from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from kit.machine import SYSTEM, Context, Move, Reason, Refusal, find

BRAKE_PERCENT = 5
"""Share of the current rows that may change or vanish before a list is held (registry_disbursement.md 1.3)."""


class State(StrEnum):
    RECEIVED = "received"  # the file is kept, nobody looked inside
    REJECTED = "rejected"  # the file is no family list: nothing of it was taken
    PARSED = "parsed"  # every line was read and judged
    READY = "ready"  # compared with what is there: nothing unusual
    HELD = "held"  # it would change or lose too much: the head decides
    APPROVED = "approved"  # another person than the uploader said yes: being applied
    APPLIED = "applied"  # the registry says what the list says
    DISCARDED = "discarded"  # set aside, nothing was taken


@dataclass(frozen=True, slots=True)
class Totals:
    """Lines of the file; `read` is always the sum of the other two."""

    read: int = 0
    ok: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """What the list would do to the rows that came from the same source and region. `current`: how many those are."""

    current: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    state: State
    uploaded_by: str
    as_of: date
    totals: Totals = field(default_factory=Totals)
    difference: Difference = field(default_factory=Difference)
    brake: tuple[str, ...] = ()
    approved_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """Bring in a file. `newest`: the day of the newest list applied from the same source and region."""

    as_of: date
    newest: date | None = None


@dataclass(frozen=True, slots=True)
class Parse:
    """Every line was read."""

    totals: Totals


@dataclass(frozen=True, slots=True)
class Reject:
    """The file cannot be read as a list; `code` says why."""

    code: str


@dataclass(frozen=True, slots=True)
class Compare:
    """The rows were compared with the registry."""

    difference: Difference


@dataclass(frozen=True, slots=True)
class Approve:
    """Let the list into the registry. `sample_seen`: the approver opened the report with its sample of rows."""

    sample_seen: bool


@dataclass(frozen=True, slots=True)
class Finish:
    """Every chunk is done; `applied` is the sum of their rows."""

    applied: int


@dataclass(frozen=True, slots=True)
class Discard:
    """Set the list aside."""

    reason: str


Command = Upload | Parse | Reject | Compare | Approve | Finish | Discard


def brake(difference: Difference) -> tuple[str, ...]:
    """Why the list is held: too much changes, too much vanishes. An empty base brakes nothing."""
    if not difference.current:
        return ()
    limit = difference.current * BRAKE_PERCENT
    reasons = (("rem_perubahan", difference.changed), ("rem_hilang", difference.gone))
    return tuple(code for code, count in reasons if count * 100 > limit)


def not_of_the_future(_: Run | None, command: Upload, ctx: Context) -> Reason | None:
    """A list tells of a day that has been."""
    return Reason("di_masa_depan") if command.as_of > ctx.today else None


def not_older_than_the_newest(_: Run | None, command: Upload, __: Context) -> Reason | None:
    """An old list does not undo a newer one."""
    older = command.newest is not None and command.as_of < command.newest
    return Reason("lebih_lama_dari_yang_ada") if older else None


def lines_add_up(_: Run, command: Parse, __: Context) -> Reason | None:
    """No line is lost between reading and judging."""
    totals = command.totals
    return None if totals.read == totals.ok + totals.rejected else Reason("jumlah_kendali_beda")


def brake_is_silent(_: Run, command: Compare, __: Context) -> Reason | None:
    """Nothing unusual would happen."""
    codes = brake(command.difference)
    return Reason(codes[0]) if codes else None


def approver_is_not_the_uploader(run: Run, _: Approve, ctx: Context) -> Reason | None:
    """Two people stand behind every list."""
    return Reason("pengunggah_menyetujui") if run.uploaded_by == ctx.actor else None


def sample_was_seen(_: Run, command: Approve, __: Context) -> Reason | None:
    """Who approves has looked at the report and its sample."""
    return None if command.sample_seen else Reason("laporan_belum_dibaca")


def chunks_add_up(run: Run, command: Finish, __: Context) -> Reason | None:
    """The chunks hold every accepted line, once (kernel rule K13)."""
    return None if command.applied == run.totals.ok else Reason("jumlah_kendali_beda")


def reason_is_given(_: Run, command: Discard, __: Context) -> Reason | None:
    """The uploader is told why."""
    return None if command.reason.strip() else Reason("alasan_wajib")


UPLOADER = frozenset({"op_kab"})
MANAGER = frozenset({"kabid"})
HEAD = frozenset({"kadis"})
RULE = frozenset({SYSTEM})
_APPROVAL = (approver_is_not_the_uploader, sample_was_seen)

MOVES: tuple[Move[State], ...] = (
    Move(None, Upload, State.RECEIVED, UPLOADER, (not_of_the_future, not_older_than_the_newest), "import.received"),
    Move(State.RECEIVED, Parse, State.PARSED, RULE, (lines_add_up,), "import.parsed"),
    Move(State.RECEIVED, Reject, State.REJECTED, RULE, (), "import.rejected"),
    Move(State.PARSED, Compare, State.READY, RULE, (brake_is_silent,), "import.diffed"),
    Move(State.PARSED, Compare, State.HELD, RULE, (), "import.held"),
    Move(State.READY, Approve, State.APPROVED, MANAGER, _APPROVAL, "import.approved"),
    Move(State.HELD, Approve, State.APPROVED, HEAD, _APPROVAL, "import.approved"),
    Move(State.APPROVED, Finish, State.APPLIED, RULE, (chunks_add_up,), "import.applied"),
    *(
        Move(source, Discard, State.DISCARDED, MANAGER | HEAD, (reason_is_given,), "import.discarded")
        for source in (State.PARSED, State.READY, State.HELD)
    ),
)


def decide(run: Run | None, command: Command, ctx: Context) -> tuple[Run, str] | Refusal:
    """The run after the command and the event that tells of it, or the refusal with every reason."""
    match find(MOVES, None if run is None else run.state, command, run, ctx):
        case Refusal() as refusal:
            return refusal
        case Move(target=target, event=event):
            assert event is not None  # noqa: S101 - every row of the table announces
            return _after(run, command, ctx, target), event


def _after(run: Run | None, command: Command, ctx: Context, target: State) -> Run:
    if run is None:
        assert isinstance(command, Upload)  # noqa: S101 - the table has no other birth
        return Run(target, ctx.actor, command.as_of)
    run = replace(run, state=target)
    match command:
        case Parse(totals=totals):
            return replace(run, totals=totals)
        case Reject(code=code):
            return replace(run, reason=code)
        case Compare(difference=difference):
            return replace(run, difference=difference, brake=brake(difference))
        case Approve():
            return replace(run, approved_by=ctx.actor)
        case Discard(reason=reason):
            return replace(run, reason=reason)
        case _:
            return run
