"""What a payment batch is made of: its states, its signatures, the rules of approval and the commands it knows.

The moves themselves stand in `domain`, their conditions in `guards`.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

MAX_LINES = 20_000

PROGRAM_MANAGER = "program_manager"
VERIFIKATOR = "verifikator"
KABID = "kabid"
KADIS = "kadis"
SEKRETARIS = "sekretaris"
BENDAHARA = "bendahara"
PPK = "ppk"
BPKAD = "bpkad"
EXPORTER = "exporter"
RECON_OFFICER = "recon_officer"


class State(StrEnum):
    DRAFT = "draft"  # being put together
    FROZEN = "frozen"  # its rights are taken: no other list may pay them
    CHECKED = "checked"  # every line passed gate F or was taken out
    SUBMITTED = "submitted"
    VERIFIED = "verified"
    APPROVED = "approved"  # everyone whom the amount asks for has agreed to this very list
    ORDERED = "ordered"  # SPP and SPM are with the treasury
    FUNDED = "funded"  # SP2D: the money is on the distribution account
    EXPORTED = "exported"  # the file is written; nothing has left
    SENT = "sent"  # the bank has the file
    SETTLING = "settling"  # the bank's answers come in
    RECONCILED = "reconciled"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Duty(StrEnum):
    """What a person did in the file. One person has one duty in one batch, over its whole history."""

    MAKE = "make"
    VERIFY = "verify"
    APPROVE = "approve"
    REQUEST = "request"  # SPP
    ORDER = "order"  # SPM
    EXPORT = "export"
    RECONCILE = "reconcile"


@dataclass(frozen=True, slots=True)
class Signature:
    """Who did what, on which list. `void` once the list was changed by more than taking lines out."""

    duty: Duty
    actor: str
    person_id: UUID | None
    role: str
    list_sha256: str
    total_idr: int
    void: bool = False
    list_no: int = 0


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """Totals above `above_idr` and up to `up_to_idr` (None: no end) need one approval of each of `roles`."""

    above_idr: int
    up_to_idr: int | None
    roles: tuple[str, ...]

    def covers(self, total_idr: int) -> bool:
        """Whether this row speaks about the total."""
        return self.above_idr < total_idr and (self.up_to_idr is None or total_idr <= self.up_to_idr)


DEFAULT_RULES = (
    ApprovalRule(0, 100_000_000, (KABID,)),
    ApprovalRule(100_000_000, 1_000_000_000, (KABID, KADIS)),
    ApprovalRule(1_000_000_000, None, (KADIS, SEKRETARIS)),
)
"""Beside the verifier, who comes before every approval."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The batch as far as its moves depend on it. `due_roles` are the roles whose approval is still missing."""

    state: State | None
    count: int = 0
    total_idr: int = 0
    list_sha256: str = ""
    list_no: int = 0
    signatures: tuple[Signature, ...] = ()
    rules: tuple[ApprovalRule, ...] = DEFAULT_RULES
    submitted_total_idr: int = 0
    spp_idr: int | None = None
    spm_idr: int | None = None
    open_lines: int = 0
    open_items: int = 0
    open_cases: int = 0
    levels_agree: bool = True

    @property
    def approvals(self) -> tuple[Signature, ...]:
        """The approvals in force."""
        return tuple(s for s in self.signatures if s.duty is Duty.APPROVE and not s.void)

    @property
    def due_roles(self) -> tuple[str, ...]:
        """Roles whose approval is missing; the amount at submission decides, so that pulling lines lowers no bar."""
        total = max(self.submitted_total_idr, self.total_idr)
        needed = next((list(rule.roles) for rule in self.rules if rule.covers(total)), [KADIS, SEKRETARIS])
        for approval in self.approvals:
            if approval.role in needed:
                needed.remove(approval.role)
        return tuple(needed)


# --- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Draft:
    """Put a list together."""

    count: int


@dataclass(frozen=True, slots=True)
class Freeze:
    """Take the rights into the list and fix it."""


@dataclass(frozen=True, slots=True)
class Check:
    """Record the result of gate F: what is left is payable today."""

    stopped_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Submit:
    """Hand the checked list over (ajukan)."""

    report_read: bool


@dataclass(frozen=True, slots=True)
class Verify:
    """Confirm the list after looking at a sample."""

    sample: frozenset[UUID]
    viewed: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Approve:
    """Agree to exactly the list whose SHA-256 and total were shown (setujui)."""

    list_sha256: str
    total_idr: int


@dataclass(frozen=True, slots=True)
class ApproveLast(Approve):
    """The approval after which none is missing."""


@dataclass(frozen=True, slots=True)
class Return:
    """Give the list back with a reason (kembalikan)."""

    reason: str


@dataclass(frozen=True, slots=True)
class AddLines:
    """Put more rights on the list: it becomes another list, and every approval is void."""

    count: int


@dataclass(frozen=True, slots=True)
class PullLine:
    """Take lines out (keluarkan): a death, a move, an upheld objection, a closed account."""

    reason: str


@dataclass(frozen=True, slots=True)
class RequestPayment:
    """Record the SPP (surat permintaan pembayaran)."""

    amount_idr: int


@dataclass(frozen=True, slots=True)
class Order:
    """Record the SPM (surat perintah membayar)."""

    amount_idr: int


@dataclass(frozen=True, slots=True)
class Fund:
    """Record the SP2D (surat perintah pencairan dana)."""

    amount_idr: int


@dataclass(frozen=True, slots=True)
class RefuseOrder:
    """The treasury gives the SPM back."""

    reason: str


@dataclass(frozen=True, slots=True)
class Export:
    """Write the files for the bank after gate P."""

    approvals_hold: bool
    stopped_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfirmSent:
    """The bank has the file: its receipt number."""

    receipt: str


@dataclass(frozen=True, slots=True)
class StartSettling:
    """The first answer of the bank, or a return after the end."""


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Both levels agree, every difference is resolved."""


@dataclass(frozen=True, slots=True)
class Close:
    """Every line is final."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Drop the list; its rights are due again."""

    reason: str


Command = (
    Draft | Freeze | Check | Submit | Verify | Approve | Return | AddLines | PullLine | RequestPayment | Order | Fund
    | RefuseOrder | Export | ConfirmSent | StartSettling | Reconcile | Close | Cancel
)  # fmt: skip
