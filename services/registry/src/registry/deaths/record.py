"""The death record (catatan kematian) and the commands it takes. What may happen when is said in `domain`; both are pure."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID


class State(StrEnum):
    REPORTED = "reported"  # somebody said so: payments are held
    CORROBORATED = "corroborated"  # a second, independent source says so too: payments are held
    DISPUTED = "disputed"  # an officer met the person alive: payments stay held until two people decide
    CERTIFIED = "certified"  # the akta is there: payments have ended
    REVOKED = "revoked"  # the person is alive: payments resume with arrears
    VOID = "void"  # entered by mistake; never counted


class Life(StrEnum):
    """The fact that other services act on."""

    ALIVE = "alive"
    DEATH_REPORTED = "death_reported"
    DEAD = "dead"


class Source(StrEnum):
    """Who says that somebody died (sumber laporan)."""

    RT = "rt"
    BURIAL_BOOK = "buku_makam"
    AKTA = "akta"
    DUKCAPIL = "dukcapil"
    HOSPITAL = "hospital"
    FAMILY = "family"
    BANK = "bank_md07"
    POST_OFFICE = "pos_officer"
    DTSEN = "dtsen"


@dataclass(frozen=True, slots=True)
class Statement:
    """One report of one death: its source and the account that brought it in."""

    source: Source
    reporter: str
    reporter_person_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Death:
    state: State
    died_on: date
    reported_at: datetime
    statements: tuple[Statement, ...]
    person_id: UUID | None = None
    akta_no: str | None = None
    issuer_code: str | None = None
    hold_expired_at: datetime | None = None
    proposed_outcome: str | None = None
    proposed_by: str | None = None

    @property
    def life(self) -> Life:
        """What this record says about the person's life."""
        match self.state:
            case State.CERTIFIED:
                return Life.DEAD
            case State.REVOKED | State.VOID:
                return Life.ALIVE
            case State.REPORTED if self.hold_expired_at is not None:
                return Life.ALIVE
            case _:
                return Life.DEATH_REPORTED


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of the person a report names. `live_record`: that person's other death record, if one counts."""

    person_id: UUID | None
    birth_date: date | None = None
    live_record: UUID | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """Report a death (laporan kematian). A person not found in the registry is named by name, village and date."""

    subject: Subject
    died_on: date
    captured_at: datetime
    statement: Statement


@dataclass(frozen=True, slots=True)
class Corroborate:
    """A second source says the same."""

    statement: Statement
    captured_at: datetime


@dataclass(frozen=True, slots=True)
class Certify:
    """Record the death certificate (akta kematian) that Dukcapil issued. `used_by`: another live record holding it."""

    akta_no: str
    issuer_code: str
    issued_on: date
    used_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class CertifyByBurialBook:
    """Certify by burial book and letter of the kelurahan, where the profile of the office allows it."""

    document_id: UUID
    issued_on: date


@dataclass(frozen=True, slots=True)
class Contradict:
    """An officer met the person alive (tanda hidup): a visit with a photo."""

    seen_on: date
    photo_document_id: UUID | None


@dataclass(frozen=True, slots=True)
class ExpireHold:
    """End the hold of a report that nobody confirmed. `visit_found_nothing`: the check visit was made, without result."""

    visit_found_nothing: bool = False


@dataclass(frozen=True, slots=True)
class ProposeOutcome:
    """Propose how a dispute ends: `certify` or `revoke`. Another person decides."""

    outcome: str


@dataclass(frozen=True, slots=True)
class Revoke:
    """Say that the person is alive. A certified death needs a letter of the court or of Dukcapil."""

    basis: str  # life_sign, court, dukcapil
    document_id: UUID | None
    dpo_informed: bool = False


@dataclass(frozen=True, slots=True)
class LinkPerson:
    """Say whose death this is, once the person is found."""

    subject: Subject


@dataclass(frozen=True, slots=True)
class Void:
    """Take back a record entered by mistake."""

    reason: str


Command = (
    Report
    | Corroborate
    | Certify
    | CertifyByBurialBook
    | Contradict
    | ExpireHold
    | ProposeOutcome
    | Revoke
    | LinkPerson
    | Void
)


def same_person(statement: Statement, actor: str, person_id: UUID | None) -> bool:
    """Whether an account, or the person behind it, gave this statement."""
    return statement.reporter == actor or (person_id is not None and statement.reporter_person_id == person_id)


_DROPPED = re.compile(r"[\s.]+")


def normalise_akta(number: str) -> str:
    """The akta number as it is compared: upper case, spaces and dots dropped, `/` and `-` kept."""
    return _DROPPED.sub("", number).upper()
