"""Which rungs of the ladder are due: 180, 90, 60, 30, 7 and 0 days before the end."""

from collections.abc import Collection
from datetime import date, timedelta

LADDER = (180, 90, 60, 30, 7, 0)


def due(valid_until: date, known_since: date, today: date, told: Collection[int]) -> list[int]:
    """The rungs to tell today, widest first.

    A missed week is caught up, each rung once. What lay behind the certificate when it became known is not told any
    more, but for the last of those rungs: who enters an old certificate hears at once that it ends soon.
    """
    if today > valid_until:
        return []
    reached = [rung for rung in LADDER if valid_until - timedelta(days=rung) <= today]
    since = [rung for rung in reached if valid_until - timedelta(days=rung) >= known_since]
    last = [reached[-1]] if reached and not since else []
    return [rung for rung in (*since, *last) if rung not in told]
