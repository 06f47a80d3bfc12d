"""Quiet hours (jam tenang): no telephone rings at night, by the clock of the place where the person lives."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

EVENING, MORNING = time(20), time(7)
_WITA = frozenset("51 52 53 63 64 65 71 72 73 74 75 76".split())  # noqa: SIM905
_WIT = frozenset("81 82 91 92 93 94 95 96".split())  # noqa: SIM905


def zone(region_code: str) -> ZoneInfo:
    """The zone of a region by its province: WIB, WITA or WIT."""
    province = region_code[:2]
    if province in _WITA:
        return ZoneInfo("Asia/Makassar")
    return ZoneInfo("Asia/Jayapura") if province in _WIT else ZoneInfo("Asia/Jakarta")


def morning_after(now: datetime, region_code: str) -> datetime | None:
    """When the night ends in which `now` lies, or None by day. The night is half-open: at 07.00 it is day."""
    local = now.astimezone(zone(region_code))
    if MORNING <= local.time() < EVENING:
        return None
    day = local.date() + timedelta(days=1 if local.time() >= EVENING else 0)
    return datetime.combine(day, MORNING, local.tzinfo)
