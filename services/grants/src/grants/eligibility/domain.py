"""May this institution apply to this call on this day? A pure function: the same facts give the same answer for ever."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from kit.machine import Reason

RANK = {"a": 3, "b": 2, "c": 1}
"""Which grade is at least as good as which."""

NOT_YET_KNOWN = ("standing", "open_reports", "agreement_in_force", "not_every_year")
"""Inputs whose machines do not exist yet: they count as empty, and every answer says so."""


@dataclass(frozen=True, slots=True)
class Validity:
    """A certificate and the days on which it held: from `start`, through `last` (None: no end), unless ended before."""

    start: date
    last: date | None
    ended_on: date | None = None
    grade: str | None = None

    def holds(self, on: date) -> bool:
        """Whether it held on that day; the day of a revocation no longer counts."""
        if on < self.start or (self.last is not None and on > self.last):
            return False
        return self.ended_on is None or on < self.ended_on


@dataclass(frozen=True, slots=True)
class Signer:
    """An officer who signs for the institution."""

    term_until: date | None
    proved: bool
    alive: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is known of an institution."""

    certificates: Sequence[Validity]
    accreditations: Sequence[Validity]
    account_settled: bool
    has_account: bool
    signers: Sequence[Signer]
    dissolved: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """What a grant call asks. `minimum_grade` None: no accreditation is asked."""

    minimum_grade: str | None = None
    needs_account: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """Empty `reasons`: eligible, as far as evaluated."""

    reasons: tuple[Reason, ...]
    not_evaluated: tuple[str, ...] = NOT_YET_KNOWN

    @property
    def eligible(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


def eligibility(standing: Standing, call: Call, as_of: date) -> Answer:
    """Everything that speaks against the institution on that day, in a fixed order; all reasons speak."""
    found = [
        _dissolved(standing),
        _registration(standing, as_of),
        _accreditation(standing, call, as_of),
        _account(standing, call),
        _signers(standing, as_of),
    ]
    return Answer(tuple(reason for reason in found if reason is not None))


def _dissolved(standing: Standing) -> Reason | None:
    return Reason("lks_bubar") if standing.dissolved else None


def _registration(standing: Standing, as_of: date) -> Reason | None:
    if any(certificate.holds(as_of) for certificate in standing.certificates):
        return None
    return Reason("tanda_daftar_berakhir" if standing.certificates else "lks_belum_terdaftar")


def _accreditation(standing: Standing, call: Call, as_of: date) -> Reason | None:
    if call.minimum_grade is None:
        return None
    held = [a.grade for a in standing.accreditations if a.holds(as_of) and a.grade]
    if not held:
        return Reason("akreditasi_berakhir" if standing.accreditations else "belum_terakreditasi")
    best = max(held, key=lambda grade: RANK[grade])
    if RANK[best] >= RANK[call.minimum_grade]:
        return None
    return Reason.of("akreditasi_kurang", grade=best.upper(), minimum=call.minimum_grade.upper())


def _account(standing: Standing, call: Call) -> Reason | None:
    if not standing.account_settled:
        return Reason("rekening_belum_dinyatakan")
    return Reason("rekening_tidak_ada") if call.needs_account and not standing.has_account else None


def _signers(standing: Standing, as_of: date) -> Reason | None:
    if not any(signer.proved for signer in standing.signers):
        return Reason("pengurus_belum_terbukti")
    acting = [s for s in standing.signers if s.proved and s.alive and (s.term_until is None or s.term_until >= as_of)]
    return None if acting else Reason("masa_bakti_berakhir")
