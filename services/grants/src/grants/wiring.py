"""The long-lived objects of grants: the regulation profile and the calendar. Made once per process."""

import csv
from dataclasses import dataclass
from datetime import date

from kit.runtime import Runtime

from grants.registration.states import Profile
from grants.settings import Settings


@dataclass(frozen=True, slots=True)
class Wiring:
    """What commands find at `runtime.wiring`."""

    profile: Profile
    holidays: frozenset[date]


def wire(runtime: Runtime) -> Wiring:
    """Read the profile from settings and the days off from `contracts/reference/calendar.csv`."""
    settings = runtime.settings
    if not isinstance(settings, Settings):
        raise TypeError("grants runs on its own settings")
    profile = Profile(
        rounds=settings.correction_rounds,
        correction_days=settings.correction_days,
        working_days=settings.verification_days,
        renewal_days=settings.renewal_days,
        validity_years=settings.certificate_years or None,
        appeal_days=settings.appeal_days,
    )
    with (settings.contracts_dir / "reference" / "calendar.csv").open(newline="", encoding="utf-8") as file:
        holidays = frozenset(date.fromisoformat(row["date"]) for row in csv.DictReader(file))
    return Wiring(profile, holidays)
