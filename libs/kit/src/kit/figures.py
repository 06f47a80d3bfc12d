"""Numbers of a service's own tables that tell a duty officer whether something is late or stuck: asked at each scrape.

A service lists its `Figure`s; its `work` process answers with them on `/metrics`. Counts and ages only, labels from small
closed sets, never an id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from time import monotonic
from typing import Any

from prometheus_client import Gauge
from sqlalchemy import text

from kit.auth.actor import Actor
from kit.metrics import REGISTRY
from kit.runtime import Runtime

FRESH_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One series: the statement gives its value, or rows of (label, value) when it has a label."""

    name: str
    about: str
    sql: str
    label: str = ""


@cache
def gauge(figure: Figure) -> Gauge:
    """The series of a figure; one for the whole process."""
    return Gauge(figure.name, figure.about, (figure.label,) if figure.label else (), registry=REGISTRY)


class Figures:
    """Takes the figures at most every ten seconds, however often it is asked."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        self._statements = {figure: text(figure.sql) for figure in figures}
        self._at = float("-inf")

    async def take(self, runtime: Runtime) -> None:
        """Ask the database. Raises what it raises: a scrape that fails is an alarm of its own."""
        if monotonic() - self._at < FRESH_SECONDS:
            return
        self._at = monotonic()
        async with runtime.begin(Actor.system("figures")) as uow:
            for figure, statement in self._statements.items():
                rows: Sequence[Any] = (await uow.execute(statement)).all()
                series = gauge(figure)
                if figure.label:
                    series.clear()
                    for row in rows:
                        series.labels(row[0]).set(float(row[1] or 0))
                else:
                    series.set(float(rows[0][0] or 0))
