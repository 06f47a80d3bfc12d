"""Posting rules (aturan jurnal) as data: which event moves which rupiah from where to where.

Signed postings: a debit is positive, a credit negative. Group B follows a promise through its budget line, group C
follows cash and obligation; no leg crosses the groups, so each group balances by itself. Every slice may read this;
only `ledger.commands` turns a rule into a journal.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from kit.money import MAX_IDR


class Account(StrEnum):
    """Accounts of groups B (budget, per line) and C (cash and obligation)."""

    PAGU = "B100"
    AVAILABLE = "B200"
    RESERVED = "B300"
    COMMITTED = "B400"
    ORDERED = "B500"
    REALISED = "B600"
    TREASURY = "C100"
    DISTRIBUTION = "C110"
    POS_CASH = "C120"
    IN_TRANSIT = "C130"
    OWED = "C200"
    OWED_OUTLETS = "C220"
    OVERPAID = "C300"
    ADVANCES = "C310"
    AID_EXPENSE = "C400"
    GRANT_EXPENSE = "C405"
    FEES = "C410"
    REFUNDS_LAST_YEAR = "C450"
    WRITTEN_OFF = "C460"


class Sign(StrEnum):
    """Which balance an account may show. The treasury (RKUD) is the outside world: it may show either."""

    DEBIT = "debit"
    CREDIT = "credit"
    EITHER = "either"


SIGNS: dict[Account, Sign] = {
    Account.PAGU: Sign.DEBIT,
    Account.AVAILABLE: Sign.CREDIT,
    Account.RESERVED: Sign.CREDIT,
    Account.COMMITTED: Sign.CREDIT,
    Account.ORDERED: Sign.CREDIT,
    Account.REALISED: Sign.CREDIT,
    Account.TREASURY: Sign.EITHER,
    Account.DISTRIBUTION: Sign.DEBIT,
    Account.POS_CASH: Sign.DEBIT,
    Account.IN_TRANSIT: Sign.DEBIT,
    Account.OWED: Sign.CREDIT,
    Account.OWED_OUTLETS: Sign.CREDIT,
    Account.OVERPAID: Sign.DEBIT,
    Account.ADVANCES: Sign.DEBIT,
    Account.AID_EXPENSE: Sign.EITHER,
    Account.GRANT_EXPENSE: Sign.EITHER,
    Account.FEES: Sign.DEBIT,
    Account.REFUNDS_LAST_YEAR: Sign.EITHER,
    Account.WRITTEN_OFF: Sign.DEBIT,
}
"""AID_EXPENSE is EITHER because an overpayment found or a right cancelled may touch another batch than it was booked on."""

BUDGET = tuple(a for a in Account if a.value.startswith("B"))
BY_SUBJECT = (Account.OVERPAID, Account.ADVANCES)


class Rule(StrEnum):
    """The posting rules of the house. A letter after the number names the variant."""

    P01 = "p01"  # budget line opened (DPA)
    P02 = "p02"  # ceiling raised
    P02_DOWN = "p02_down"  # ceiling lowered
    P03 = "p03"  # SK or plan reserves
    P04 = "p04"  # approved from the reservation
    P04_DIRECT = "p04_direct"  # approved without a reservation
    P05 = "p05"  # SPM recorded
    P05_BACK = "p05_back"  # SPM refused
    P06 = "p06"  # SP2D recorded, social aid
    P06_GRANT = "p06_grant"  # SP2D recorded, grant (hibah)
    P07 = "p07"  # file handed to the bank
    P08 = "p08"  # line settled, booking evidence
    P09 = "p09"  # line rejected before booking
    P09_BACK = "p09_back"  # the rejection was wrong: the bank booked it after all
    P10 = "p10"  # returned after booking
    P11 = "p11"  # unpaid money put back (STS), same year
    P11_LATER = "p11_later"  # the same in a later year
    P12_RESERVED = "p12_reserved"
    P12_COMMITTED = "p12_committed"
    P12_ORDERED = "p12_ordered"
    P13 = "p13"  # right cancelled after SP2D, same year
    P13_LATER = "p13_later"
    P15 = "p15"  # transfer fee on its own line
    P16_FOUND = "p16_found"
    P16_FOUND_LATER = "p16_found_later"
    P16_DROPPED = "p16_dropped"  # not asked back after all
    P16_DROPPED_LATER = "p16_dropped_later"
    P16_REPAID = "p16_repaid"
    P16_REPAID_LATER = "p16_repaid_later"
    P16_OFFSET = "p16_offset"
    P16_WRITTEN_OFF = "p16_written_off"
    P19 = "p19"  # re-issue: the file under its new attempt
    P20_FREE = "p20_free"  # 31 December: reservations fall back first
    P20 = "p20"  # then the rest lapses


A = Account
RULES: dict[Rule, tuple[tuple[Account, Account], ...]] = {
    Rule.P01: ((A.PAGU, A.AVAILABLE),),
    Rule.P02: ((A.PAGU, A.AVAILABLE),),
    Rule.P02_DOWN: ((A.AVAILABLE, A.PAGU),),
    Rule.P03: ((A.AVAILABLE, A.RESERVED),),
    Rule.P04: ((A.RESERVED, A.COMMITTED),),
    Rule.P04_DIRECT: ((A.AVAILABLE, A.COMMITTED),),
    Rule.P05: ((A.COMMITTED, A.ORDERED),),
    Rule.P05_BACK: ((A.ORDERED, A.COMMITTED),),
    Rule.P06: ((A.ORDERED, A.REALISED), (A.DISTRIBUTION, A.TREASURY), (A.AID_EXPENSE, A.OWED)),
    Rule.P06_GRANT: ((A.ORDERED, A.REALISED), (A.DISTRIBUTION, A.TREASURY), (A.GRANT_EXPENSE, A.OWED)),
    Rule.P07: ((A.IN_TRANSIT, A.DISTRIBUTION),),
    Rule.P08: ((A.OWED, A.IN_TRANSIT),),
    Rule.P09: ((A.DISTRIBUTION, A.IN_TRANSIT),),
    Rule.P09_BACK: ((A.IN_TRANSIT, A.DISTRIBUTION),),
    Rule.P10: ((A.DISTRIBUTION, A.OWED),),
    Rule.P11: ((A.TREASURY, A.DISTRIBUTION), (A.REALISED, A.AVAILABLE)),
    Rule.P11_LATER: ((A.TREASURY, A.DISTRIBUTION),),
    Rule.P12_RESERVED: ((A.RESERVED, A.AVAILABLE),),
    Rule.P12_COMMITTED: ((A.COMMITTED, A.AVAILABLE),),
    Rule.P12_ORDERED: ((A.ORDERED, A.AVAILABLE),),
    Rule.P13: ((A.OWED, A.AID_EXPENSE),),
    Rule.P13_LATER: ((A.OWED, A.REFUNDS_LAST_YEAR),),
    Rule.P15: ((A.AVAILABLE, A.REALISED), (A.DISTRIBUTION, A.TREASURY), (A.FEES, A.DISTRIBUTION)),
    Rule.P16_FOUND: ((A.OVERPAID, A.AID_EXPENSE),),
    Rule.P16_FOUND_LATER: ((A.OVERPAID, A.REFUNDS_LAST_YEAR),),
    Rule.P16_DROPPED: ((A.AID_EXPENSE, A.OVERPAID),),
    Rule.P16_DROPPED_LATER: ((A.REFUNDS_LAST_YEAR, A.OVERPAID),),
    Rule.P16_REPAID: ((A.TREASURY, A.OVERPAID), (A.REALISED, A.AVAILABLE)),
    Rule.P16_REPAID_LATER: ((A.TREASURY, A.OVERPAID),),
    Rule.P16_OFFSET: ((A.OWED, A.OVERPAID),),
    Rule.P16_WRITTEN_OFF: ((A.WRITTEN_OFF, A.OVERPAID),),
    Rule.P19: ((A.IN_TRANSIT, A.DISTRIBUTION),),
    Rule.P20_FREE: ((A.RESERVED, A.AVAILABLE),),
    Rule.P20: ((A.AVAILABLE, A.PAGU),),
}
"""Rule to pairs (debit, credit); every pair moves the whole amount."""


@dataclass(frozen=True, slots=True)
class Dims:
    """What a posting is told apart by. `subject_id` names the person behind an overpayment or an advance."""

    budget_line_id: UUID
    batch_id: UUID | None = None
    subject_id: UUID | None = None

    def of(self, account: Account) -> "Dims":
        """The dimensions that the account keeps: budget by line, debts of people by person, the rest by batch."""
        if account in BUDGET:
            return Dims(self.budget_line_id)
        if account in BY_SUBJECT:
            return Dims(self.budget_line_id, None, self.subject_id)
        return Dims(self.budget_line_id, self.batch_id)

    @property
    def key(self) -> str:
        """The spelling under which a balance is kept."""
        return "/".join(
            "-" if part is None else str(part) for part in (self.budget_line_id, self.batch_id, self.subject_id)
        )


@dataclass(frozen=True, slots=True)
class Posting:
    """One leg: a signed amount on an account, debit above zero."""

    account: Account
    dims: Dims
    amount_idr: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal to be: its source and its amount in whole rupiah, above zero."""

    source_id: UUID
    amount_idr: int


def postings(rule: Rule, amount_idr: int, dims: Dims) -> tuple[Posting, ...]:
    """The legs of one journal. The amount is whole rupiah, from 1 to `kit.money.MAX_IDR`; ValueError otherwise."""
    if not 0 < amount_idr <= MAX_IDR:
        raise ValueError("a journal moves a positive amount")
    return tuple(_legs(RULES[rule], amount_idr, dims))


def _legs(pairs: Iterable[tuple[Account, Account]], amount_idr: int, dims: Dims) -> Iterator[Posting]:
    for debit, credit in pairs:
        yield Posting(debit, dims.of(debit), amount_idr)
        yield Posting(credit, dims.of(credit), -amount_idr)


def allowed(account: Account, balance_idr: int) -> bool:
    """Whether the account may show this signed balance."""
    match SIGNS[account]:
        case Sign.DEBIT:
            return balance_idr >= 0
        case Sign.CREDIT:
            return balance_idr <= 0
        case Sign.EITHER:
            return True
