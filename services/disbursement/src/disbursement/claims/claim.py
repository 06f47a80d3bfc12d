"""What a death-benefit claim is, and the commands that may come to it with the evidence each must bring.

Pure data. `claims.domain` holds the guards and the table of moves.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from kit.machine import Reason, Refusal

from disbursement.programmes.domain import Intake, Wait

WIB = ZoneInfo("Asia/Jakarta")


class State(StrEnum):
    """Where a claim (klaim santunan kematian) stands."""

    DRAFT = "draft"  # being typed at the counter; binds nobody
    INCOMPLETE = "incomplete"  # in time, papers may still follow
    FILED = "filed"
    CHECKED_KEL = "checked_kel"
    CHECKED_KEC = "checked_kec"
    VERIFIED = "verified"
    APPROVED = "approved"
    PAYABLE = "payable"  # the right exists and waits for a batch
    PAID = "paid"
    CLOSED = "closed"
    REJECTED = "rejected"  # the heir may appeal once
    APPEALED = "appealed"
    LAPSED = "lapsed"  # papers did not come in time
    WITHDRAWN = "withdrawn"
    VOID = "void"  # fraud; the deceased can never be claimed for again


class Did(StrEnum):
    """What a person did in a file; separation of duties looks at these over the whole history."""

    ENTERED = "entered"
    CHECKED = "checked"
    VERIFIED = "verified"
    PROPOSED = "proposed"
    DECIDED = "decided"
    FOUND = "found"


@dataclass(frozen=True, slots=True)
class Step:
    did: Did
    actor: str
    person_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """The days of a place profile, and whether the district office (kecamatan) checks."""

    cure_days: int = 14
    appeal_days: int = 14
    close_days: int = 90
    skip_kec: bool = True
    burial_rule: bool = False
    cash_place: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    state: State
    claimant: UUID
    terms: Terms = Terms()
    steps: tuple[Step, ...] = ()
    waits: tuple[Wait, ...] = ()
    filed_at: datetime | None = None
    appeal_until: datetime | None = None
    appeals: int = 0
    paid_at: datetime | None = None
    flagged: bool = False
    amount_idr: int | None = None
    reasons: tuple[str, ...] = ()

    @property
    def cure_due(self) -> datetime | None:
        """The first instant at which a missing paper is too late (exclusive)."""
        return min((w.until for w in self.waits), default=None)


def holds_locks(claim: Claim, now: datetime) -> bool:
    """Whether the deceased and the papers stay taken by this claim.

    Unpaid endings give them free, except a finding of fraud (for ever) and a rejection while an appeal is possible.
    """
    match claim.state:
        case State.DRAFT | State.LAPSED | State.WITHDRAWN:
            return False
        case State.REJECTED:
            return claim.appeals == 0 and claim.appeal_until is not None and now < claim.appeal_until
        case _:
            return True


def end_of_day(today: date, days: int) -> datetime:
    """The first instant after the day so many days from today; a day ends at the next local midnight."""
    return datetime.combine(today + timedelta(days=days + 1), time.min, WIB).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Missing:
    """A paper that the file lacks: not there, or there and too old by so many months."""

    doc: str
    too_old_months: int | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """Open a file for a death that the registry knows."""

    death_known: bool


@dataclass(frozen=True, slots=True)
class File:
    """Hand a file in (ajukan). Filed again after an appeal it keeps its first instant."""

    received_at: datetime
    intake: Intake | Refusal
    deadline: datetime | None
    rule_in_force: bool
    claimant_life: Literal["alive", "death_reported", "dead"] | None
    claimant_is_deceased: bool
    missing: tuple[Missing, ...] = ()
    deceased_taken: Literal["klaim_ganda", "santunan_sudah_dibayar"] | None = None
    paper_taken: bool = False


@dataclass(frozen=True, slots=True)
class Complete:
    """Bring the papers that were missing."""

    missing: tuple[Missing, ...]
    paper_taken: bool = False


@dataclass(frozen=True, slots=True)
class Lapse:
    pass


@dataclass(frozen=True, slots=True)
class CheckKel:
    """The village office (kelurahan) has looked at heirs and papers, and visited where a signal asked for it."""

    heir: tuple[Reason, ...] = ()
    signals: tuple[str, ...] = ()
    visited: bool = False


@dataclass(frozen=True, slots=True)
class CheckKec:
    pass


@dataclass(frozen=True, slots=True)
class Verify:
    """The verifier's look at the death, the payee and the criteria of the rule, as the registry answers now."""

    death_state: str
    buried: bool
    life_signs: bool
    twins: bool
    payee_state: str | None
    failed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Approve:
    """The decision (persetujuan) of the head of office; the amount is the rule's, never typed."""

    amount_idr: int
    worth_basis: str
    death_state: str
    failed: tuple[str, ...] = ()
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Entitle:
    pass


@dataclass(frozen=True, slots=True)
class Settle:
    pass


@dataclass(frozen=True, slots=True)
class Reopen:
    pass


@dataclass(frozen=True, slots=True)
class Close:
    pass


@dataclass(frozen=True, slots=True)
class Return:
    """Send the file back for papers; it keeps its place and its first instant."""

    docs: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class ProposeRejection:
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reject:
    reasons: tuple[str, ...]
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Appeal:
    pass


@dataclass(frozen=True, slots=True)
class Uphold:
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dismiss:
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Withdraw:
    pass


@dataclass(frozen=True, slots=True)
class FlagAlive:
    pass


@dataclass(frozen=True, slots=True)
class ReportFraud:
    document: str


@dataclass(frozen=True, slots=True)
class VoidClaim:
    reason: str


Command = (
    Start
    | File
    | Complete
    | Lapse
    | CheckKel
    | CheckKec
    | Verify
    | Approve
    | Entitle
    | Settle
    | Reopen
    | Close
    | Return
    | ProposeRejection
    | Reject
    | Appeal
    | Uphold
    | Dismiss
    | Withdraw
    | FlagAlive
    | ReportFraud
    | VoidClaim
)
COMMANDS: tuple[type, ...] = Command.__args__
