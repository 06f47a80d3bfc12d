"""A registration file as the rules see it, the facts around it, and the commands that may be given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from grants.registration.states import Ground, Kind, Profile, State


@dataclass(frozen=True, slots=True)
class Paper:
    """A document on which a state rests: kind, number, date, issuer; the file itself is known by its digest."""

    kind: str
    number: str
    dated: date
    issuer: str


@dataclass(frozen=True, slots=True)
class Registration:
    state: State
    kind: Kind = Kind.NEW
    form: Mapping[str, Any] = field(default_factory=dict)
    snapshot: Mapping[str, Any] | None = None
    """The form as it was when corrections were asked for."""
    unlocked: frozenset[str] = frozenset()
    rounds: int = 0
    due_on: date | None = None
    submitted_on: date | None = None
    visits: int = 0
    sla_breached: bool = False
    valid_until: date | None = None
    certificate: Paper | None = None
    appeal_until: date | None = None
    reasons: tuple[str, ...] = ()
    hands: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Who did what over the whole life of the file: duty to accounts and persons."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the institution and its other papers say at this moment; gathered by the command, read by the guards."""

    candidates: int = 0
    """Institutions that look like the same one and were not declared different."""
    first_officer_proved: bool = False
    account_settled: bool = False
    """A bank account in the institution's own name, or declared to have none."""
    papers_unclean: int = 0
    running: bool = False
    """Another application of the institution is under way."""
    newer_certificate: bool = False
    open_agreements: int = 0
    dissolved: bool = False
    own: bool = True
    """The institution users act for their own institution."""
    holidays: frozenset[date] = frozenset()
    profile: Profile = field(default_factory=Profile)


@dataclass(frozen=True, slots=True)
class Command:
    """Every command carries the facts it is judged by."""

    facts: Facts


@dataclass(frozen=True, slots=True)
class Enlist(Command):
    """The office learns of an institution (LKS terdata)."""


@dataclass(frozen=True, slots=True)
class Start(Command):
    """Begin the form."""


@dataclass(frozen=True, slots=True)
class Edit(Command):
    """Write sections of the form; a section that is not named stays as it is."""

    sections: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Submit(Command):
    """The head certifies that all is true and sends it."""


@dataclass(frozen=True, slots=True)
class Take(Command):
    """A verifier takes the file and declares whether a conflict of interest stands in the way."""

    conflict: bool | None


@dataclass(frozen=True, slots=True)
class RequestCorrection(Command):
    """Open named sections again, each with a reason."""

    sections: frozenset[str]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resubmit(Command):
    """The corrected file comes back."""


@dataclass(frozen=True, slots=True)
class Lapse(Command):
    pass


@dataclass(frozen=True, slots=True)
class RecordVisit(Command):
    """The institution was visited; the minutes (berita acara) say what was seen."""

    minutes: Paper | None
    visited_on: date


@dataclass(frozen=True, slots=True)
class Recommend(Command):
    """Every point of the checklist with its answer."""

    checklist: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Issue(Command):
    """Sign the certificate (tanda daftar)."""

    certificate: Paper | None
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class Adopt(Command):
    """Record a certificate that was issued before this system, or by the permit office (perizinan)."""

    certificate: Paper | None
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class Refuse(Command):
    ground: Ground


@dataclass(frozen=True, slots=True)
class StartRenewal(Command):
    pass


@dataclass(frozen=True, slots=True)
class Expire(Command):
    pass


@dataclass(frozen=True, slots=True)
class Revoke(Command):
    """Withdraw the certificate by decree (SK)."""

    decree: Paper | None
    appeal_until: date | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dissolve(Command):
    """The institution has ended by deed (akta pembubaran)."""

    deed: Paper | None


@dataclass(frozen=True, slots=True)
class Withdraw(Command):
    pass


COMMANDS = (
    Enlist, Start, Edit, Submit, Take, RequestCorrection, Resubmit, Lapse, RecordVisit, Recommend, Issue, Adopt, Refuse,
    StartRenewal, Expire, Revoke, Dissolve, Withdraw,
)  # fmt: skip
