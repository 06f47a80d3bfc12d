"""Counts as of a day, from the dated history of every file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import text

MOST_ANOMALIES = 200

FUNNEL = text(
    """
WITH last AS (
    SELECT DISTINCT ON (s.file_id) s.file_kind, s.file_id, s.institution_id, s.to_state
    FROM step s WHERE s.on_date <= :as_of ORDER BY s.file_id, s.no DESC
), per AS (
    SELECT i.id,
        coalesce(bool_or(l.to_state = 'registered' AND r.valid_from <= :as_of
            AND (r.valid_until IS NULL OR r.valid_until >= :as_of)), false) AS registered,
        coalesce(bool_or(l.file_kind = 'registration'
            AND l.to_state IN ('draft', 'submitted', 'in_verification', 'needs_correction', 'recommended')), false) AS running,
        coalesce(bool_or(l.file_kind = 'registration' AND l.to_state = 'listed'), false) AS listed,
        coalesce(bool_or(l.to_state = 'accredited' AND a.issued_on <= :as_of AND a.valid_until >= :as_of), false) AS accredited
    FROM institution i
    JOIN last l ON l.institution_id = i.id
    LEFT JOIN registration r ON r.id = l.file_id
    LEFT JOIN accreditation a ON a.id = l.file_id
    WHERE (i.dissolved_on IS NULL OR i.dissolved_on > :as_of)
        AND (current_setting('santun.regions', true) = '*' OR santun_region_allowed(i.region_code))
        AND (CAST(:region AS text) IS NULL OR i.region_code = :region OR starts_with(i.region_code, :region || '.'))
    GROUP BY i.id
)
SELECT count(*) AS known,
    count(*) FILTER (WHERE registered) AS registered,
    count(*) FILTER (WHERE running AND NOT registered) AS in_process,
    count(*) FILTER (WHERE listed AND NOT registered AND NOT running) AS listed,
    count(*) FILTER (WHERE NOT (listed OR registered OR running)) AS ended,
    count(*) FILTER (WHERE accredited) AS accredited,
    count(*) FILTER (WHERE accredited AND NOT registered) AS accredited_not_registered,
    (array_agg(id ORDER BY id) FILTER (WHERE accredited AND NOT registered))[1:200] AS anomalies
FROM per
"""
)


@dataclass(frozen=True, slots=True)
class Funnel:
    """`known` = `registered` + `in_process` + `listed` + `ended`; `accredited` lies across them."""

    as_of: date
    known: int
    registered: int
    in_process: int
    listed: int
    ended: int
    accredited: int
    accredited_not_registered: int
    anomalies: Sequence[UUID]


async def funnel(uow: UnitOfWork, as_of: date, region: str | None) -> Funnel:
    """The funnel of the actor's regions, or of a part of them, on a day."""
    row = (await uow.execute(FUNNEL, {"as_of": as_of, "region": region})).one()
    return Funnel(
        as_of=as_of, known=row.known, registered=row.registered, in_process=row.in_process, listed=row.listed,
        ended=row.ended, accredited=row.accredited, accredited_not_registered=row.accredited_not_registered,
        anomalies=tuple(row.anomalies or ()),
    )  # fmt: skip
