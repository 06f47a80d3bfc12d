"""The words of registrations: states, the parts of a form, and the numbers of the regulation profile."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class State(StrEnum):
    LISTED = "listed"  # the office knows the institution; nothing was applied for
    DRAFT = "draft"  # the form is being written
    SUBMITTED = "submitted"  # the head of the institution certified it
    IN_VERIFICATION = "in_verification"  # a verifier checks papers and visits
    NEEDS_CORRECTION = "needs_correction"  # named sections are open again, for thirty days
    LAPSED = "lapsed"  # the correction never came
    RECOMMENDED = "recommended"  # the verifier stands for it; the head decides
    REGISTERED = "registered"  # the certificate is issued
    REFUSED = "refused"
    EXPIRED = "expired"  # the certificate ended without a newer one
    REVOKED = "revoked"
    DISSOLVED = "dissolved"  # the institution is no more
    WITHDRAWN = "withdrawn"


class Kind(StrEnum):
    NEW = "new"
    RENEWAL = "renewal"


class Section(StrEnum):
    """Parts of the form; a correction opens single ones."""

    PROFIL = "profil"
    PENGURUS = "pengurus"
    KEGIATAN = "kegiatan"
    SARANA = "sarana"
    KEUANGAN = "keuangan"


class Ground(StrEnum):
    """The only grounds on which an application may be refused (Permensos 184/2011)."""

    INCOMPLETE = "tidak_lengkap"
    NO_SOCIAL_ACTIVITY = "tidak_ada_kegiatan_sosial"
    CONTRARY_TO_LAW = "bertentangan_dengan_hukum"


IN_PROCESS = frozenset({State.DRAFT, State.SUBMITTED, State.IN_VERIFICATION, State.NEEDS_CORRECTION, State.RECOMMENDED})
"""Applied for and not decided."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Numbers of the regulation profile; parameters of the office, never constants of the law."""

    rounds: int = 3
    correction_days: int = 30
    working_days: int = 14
    renewal_days: int = 90
    validity_years: int | None = 3
    """None: certificates of this office have no end."""
    appeal_days: int = 90


def working_days_between(start: date, end: date, holidays: frozenset[date]) -> int:
    """Days of work after `start` up to and including `end`: Monday to Friday without holidays."""
    days = (start + timedelta(days=n) for n in range(1, (end - start).days + 1))
    return sum(1 for day in days if day.weekday() < 5 and day not in holidays)  # noqa: PLR2004 - Saturday
