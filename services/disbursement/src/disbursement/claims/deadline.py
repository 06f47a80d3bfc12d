"""The last day to file a claim (batas waktu klaim), as data of the place. Pure.

`none` (Depok: no deadline was found), `calendar_year_with_grace` (Kota Yogyakarta: in the year of death, December
deaths until 31 January), `working_days` (Denpasar: 30 working days after the day of death; the convention of counting
is part of the rule), `months` (Lumajang: one month). A day ends at the next local midnight, half-open.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from disbursement.rules.ast import RuleError

ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
SATURDAY = 5
DECEMBER = 12


@dataclass(frozen=True, slots=True)
class Deadline:
    kind: Literal["none", "calendar_year_with_grace", "working_days", "months"] = "none"
    count: int = 0
    zone: str = "Asia/Jakarta"
    holidays: Literal["none", "national", "national_and_collective"] = "national"


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days off by decree of the ministers (SKB): national holidays, and collective leave (cuti bersama)."""

    national: frozenset[date] = frozenset()
    collective: frozenset[date] = frozenset()

    def off(self, convention: str) -> frozenset[date]:
        """The days that a convention does not count, weekends aside."""
        match convention:
            case "national":
                return self.national
            case "national_and_collective":
                return self.national | self.collective
            case _:
                return frozenset()


def parse(raw: Mapping[str, Any]) -> Deadline:
    """Read the deadline of a rule version; raises RuleError."""
    kind, zone = raw.get("kind", "none"), raw.get("zone", ZONES[0])
    holidays, count = raw.get("holidays", "national"), raw.get("count", 0)
    if kind not in ("none", "calendar_year_with_grace", "working_days", "months"):
        raise RuleError("/claim/deadline/kind", "pilihan_tidak_dikenal")
    if zone not in ZONES:
        raise RuleError("/claim/deadline/zone", "pilihan_tidak_dikenal")
    if holidays not in ("none", "national", "national_and_collective"):
        raise RuleError("/claim/deadline/holidays", "pilihan_tidak_dikenal")
    if not isinstance(count, int) or count < 0 or (kind in ("working_days", "months") and not count):
        raise RuleError("/claim/deadline/count", "bilangan_tidak_wajar")
    return Deadline(kind, count, zone, holidays)


def ends_at(rule: Deadline, died_on: date, calendar: Calendar) -> datetime | None:
    """The first instant that is too late, or None when the place has no deadline."""
    last = last_day(rule, died_on, calendar)
    if last is None:
        return None
    return datetime.combine(last + timedelta(days=1), time.min, ZoneInfo(rule.zone))


def last_day(rule: Deadline, died_on: date, calendar: Calendar) -> date | None:
    """The last day on which a claim may be filed."""
    match rule.kind:
        case "none":
            return None
        case "calendar_year_with_grace":
            year = died_on.year
            return date(year + 1, 1, 31) if died_on.month == DECEMBER else date(year, 12, 31)
        case "months":
            year, month = divmod(died_on.year * 12 + died_on.month - 1 + rule.count, 12)
            return _same_day(year, month + 1, died_on.day)
        case "working_days":
            return _working_days_after(died_on, rule.count, calendar.off(rule.holidays))


def _working_days_after(start: date, count: int, off: frozenset[date]) -> date:
    day = start
    while count:
        day += timedelta(days=1)
        if day.weekday() < SATURDAY and day not in off:
            count -= 1
    return day


def _same_day(year: int, month: int, day: int) -> date:
    for last in range(day, 27, -1):
        try:
            return date(year, month, last)
        except ValueError:
            continue
    return date(year, month, day)
