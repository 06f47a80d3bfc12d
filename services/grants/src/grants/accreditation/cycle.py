"""An accreditation cycle as the rules see it, the words of its states, and the commands that may be given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class State(StrEnum):
    SELF_ASSESSMENT = "self_assessment"  # form A is being answered
    REQUESTED = "requested"  # forms and evidence lie with the office
    DINAS_VERIFIED = "dinas_verified"  # the office saw it on the spot
    RECOMMENDED = "recommended"
    AT_BALKS = "at_balks"
    VISIT_SCHEDULED = "visit_scheduled"
    VISITED = "visited"
    ACCREDITED = "accredited"
    NOT_ACCREDITED = "not_accredited"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"  # a newer cycle became accredited


class Standard(StrEnum):
    """The six standards (Permensos 17/2012)."""

    PROGRAM = "program"
    PROSES = "proses"
    MANAJEMEN = "manajemen"
    SDM = "sdm"
    SARANA = "sarana"
    HASIL = "hasil"


class Grade(StrEnum):
    A = "a"
    B = "b"
    C = "c"


YEARS = {Grade.A: 5, Grade.B: 3, Grade.C: 2}
"""How long a grade holds (BALKS)."""


def years_after(start: date, years: int) -> date:
    """The same day `years` later; 29 February becomes 28 February."""
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return start.replace(year=start.year + years, day=28)


@dataclass(frozen=True, slots=True)
class Paper:
    """A document on which a state rests."""

    kind: str
    number: str
    dated: date
    issuer: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One standard answered: the own score and the digest of the evidence."""

    score: int
    evidence_sha256: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What BALKS decided, as the operator entered it; it counts only when the head confirms it."""

    grade: Grade | None
    """None: not accredited."""
    certificate: Paper
    issued_on: date
    valid_until: date | None
    override: str | None = None
    """Why the end differs from the rule, as a reason code."""


@dataclass(frozen=True, slots=True)
class Cycle:
    state: State
    answers: Mapping[str, Answer] = field(default_factory=dict)
    visit_on: date | None = None
    visits: int = 0
    entered: Verdict | None = None
    grade: Grade | None = None
    issued_on: date | None = None
    valid_until: date | None = None
    revocation: Paper | None = None
    reasons: tuple[str, ...] = ()
    hands: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands around the cycle at this moment."""

    own: bool = True
    registered: bool = False
    newer_accredited: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """Every command carries the facts it is judged by."""

    facts: Facts


@dataclass(frozen=True, slots=True)
class StartCycle(Command):
    pass


@dataclass(frozen=True, slots=True)
class AnswerStandards(Command):
    answers: Mapping[str, Answer]


@dataclass(frozen=True, slots=True)
class Request(Command):
    """Hand in forms A and B and the profile."""


@dataclass(frozen=True, slots=True)
class Return(Command):
    standards: frozenset[str]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verify(Command):
    """The office was there; the visit record says what was seen."""

    record: Paper | None


@dataclass(frozen=True, slots=True)
class Recommend(Command):
    letter: Paper | None


@dataclass(frozen=True, slots=True)
class Forward(Command):
    proof: Paper | None


@dataclass(frozen=True, slots=True)
class ScheduleVisit(Command):
    on: date


@dataclass(frozen=True, slots=True)
class RecordVisit(Command):
    on: date


@dataclass(frozen=True, slots=True)
class EnterResult(Command):
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ConfirmResult(Command):
    """The head compares the entry with the certificate."""


@dataclass(frozen=True, slots=True)
class AdoptResult(Command):
    """Record a certificate that BALKS issued before this system."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class EnterRevocation(Command):
    letter: Paper
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfirmRevocation(Command):
    pass


@dataclass(frozen=True, slots=True)
class Expire(Command):
    pass


@dataclass(frozen=True, slots=True)
class Supersede(Command):
    pass


COMMANDS = (
    StartCycle, AnswerStandards, Request, Return, Verify, Recommend, Forward, ScheduleVisit, RecordVisit, EnterResult,
    ConfirmResult, AdoptResult, EnterRevocation, ConfirmRevocation, Expire, Supersede,
)  # fmt: skip
