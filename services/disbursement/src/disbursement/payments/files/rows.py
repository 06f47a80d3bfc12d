"""What stands in the files of banks, as typed rows, and the one way to say that a file cannot be read."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from kit.money import MAX_IDR

MAX_RESULT_BYTES = 50 * 1024 * 1024
MAX_FILE_LINES = 10_000
MAX_RESULT_ROWS = 200_000


class FileRefused(ValueError):
    """The file as a whole cannot be trusted or read; nothing of it is applied. `code` is a reason code."""

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code)
        self.code, self.params = code, params


@dataclass(frozen=True, slots=True)
class Instruction:
    """One transfer. Account numbers are text (leading zeros count); lives in memory and in the encrypted file only."""

    reference: str
    amount_idr: int
    bank_code: str
    account: str
    holder_name: str
    description: str


@dataclass(frozen=True, slots=True)
class PaymentFile:
    """One file to the bank. `purpose` is an ISO purpose code: SSBE (social benefit), STDY, GOVT."""

    reference: str
    block: str
    created_at: datetime
    due_on: date
    initiator: str
    debtor_name: str
    debtor_account: str
    debtor_bank: str
    purpose: str
    instructions: tuple[Instruction, ...]

    @property
    def total_idr(self) -> int:
        """The control sum."""
        return sum(line.amount_idr for line in self.instructions)


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One statement of the bank about one transfer.

    `status` is an ISO status code, or `settled` / `returned` where the entry itself is the evidence. `amount_idr` None
    means that the row names no amount; `unreadable` that it names one which is no whole amount of rupiah.
    """

    row_no: int
    reference: str
    status: str
    amount_idr: int | None = None
    unreadable: bool = False
    bank_ref: str | None = None
    reason: str | None = None
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class DebitEntry:
    """The bank's booking of a whole file on the distribution account: level 1 of the reconciliation."""

    file_reference: str
    amount_idr: int
    count: int | None
    entry_ref: str
    value_date: date | None


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """A word about a whole file: all its lines share it unless a row says otherwise."""

    file_reference: str
    status: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Results:
    """A result file, read. `created_on` dates rows that carry no date of their own."""

    message_id: str
    created_on: date | None
    rows: tuple[ResultRow, ...]
    debits: tuple[DebitEntry, ...] = ()
    groups: tuple[GroupStatus, ...] = ()


def whole_rupiah(text: str | None) -> int | None:
    """`150000`, `150000.00` to 150000; None for fractions, signs, other notations and more than the house can hold."""
    if text is None or not text.strip() or len(text) > 40 or not set(text.strip()) <= set("0123456789."):  # noqa: PLR2004
        return None
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        return None
    if amount != amount.to_integral_value() or not 0 <= amount <= MAX_IDR:
        return None
    return int(amount)


def iso_date(text: str | None) -> date | None:
    """The day of an ISO date or date-time; None when it is none."""
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None
