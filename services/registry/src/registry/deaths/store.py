"""Every statement of the deaths slice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.db.uow import lock as lock_row
from kit.errors import Conflict
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.exc import IntegrityError
from sqlalchemy.types import LargeBinary

from registry.deaths.tables import DeathRecord

LIVE_OF_PERSON = text("""
    SELECT id FROM death_record WHERE person_id = :person_id AND state NOT IN ('revoked', 'void')
        AND id IS DISTINCT FROM CAST(:but AS uuid)
""")
LIVE_OF_AKTA = text("""
    SELECT id FROM death_record
    WHERE akta_issuer_code = :issuer AND akta_no_norm = :akta AND state NOT IN ('revoked', 'void')
        AND id IS DISTINCT FROM CAST(:but AS uuid)
""")
ADD_REPORT = text("""
    INSERT INTO death_report (death_record_id, kind, source, captured_at, received_at, reporter, reporter_person_id, document_id)
    VALUES (:record, :kind, :source, :captured_at, :received_at, :reporter, :reporter_person_id, :document_id)
""")
REPORTS = text("""
    SELECT kind, source, captured_at, received_at, reporter, reporter_person_id, document_id FROM death_report
    WHERE death_record_id = :id ORDER BY received_at, id
""")
DUE = text("""
    SELECT id FROM death_record
    WHERE state = 'reported' AND hold_expired_at IS NULL AND reported_at <= :before ORDER BY id LIMIT :limit
""")
RESOLVE_AKTA = text("""
    SELECT id, region_code FROM death_record
    WHERE akta_issuer_code = :issuer AND akta_no_norm = :akta AND state <> 'void' ORDER BY state = 'revoked', id DESC LIMIT 1
""")
RESOLVE_PERSON = text("""
    SELECT id, region_code FROM death_record
    WHERE person_id = ANY(:ids) AND state <> 'void' ORDER BY state = 'revoked', id DESC LIMIT 2
""").bindparams(bindparam("ids", type_=ARRAY(PG_UUID)))
RESOLVE_UNMATCHED = text("""
    SELECT id, region_code FROM death_record
    WHERE subject_nik_bidx = ANY(:digests) AND person_id IS NULL AND state <> 'void'
    ORDER BY state = 'revoked', id DESC LIMIT 2
""").bindparams(bindparam("digests", type_=ARRAY(LargeBinary)))
LIFE_SIGNS = text("SELECT count(*) FROM death_report WHERE death_record_id = :id AND kind = 'life_sign'")
FORGET = text("""
    UPDATE death_record SET subject_name_enc = NULL, subject_nik_bidx = NULL, subject_birth_date = NULL
    WHERE person_id = :id AND num_nonnulls(subject_name_enc, subject_nik_bidx, subject_birth_date) > 0 RETURNING id
""")


@dataclass(frozen=True, slots=True)
class Report:
    """One report, or one sign of life, as it is kept."""

    record: UUID
    kind: str
    source: str
    captured_at: datetime
    reporter_person_id: UUID | None
    document_id: UUID | None


async def lock(uow: UnitOfWork, id: UUID, expected: int | None) -> DeathRecord:
    """The record's row, held; within the actor's regions."""
    return await lock_row(uow, DeathRecord, id, expected)


async def save(uow: UnitOfWork, record: DeathRecord) -> None:
    """Write the record. Two at once for one person or one akta: the second one is a Conflict."""
    try:
        await uow.save(record)
    except IntegrityError as taken:
        text_ = str(taken.orig)
        if "one_live_death_per_person" in text_:
            raise Conflict("sudah_ada_catatan") from taken
        if "one_live_death_per_akta" in text_:
            raise Conflict("akta_dipakai_ulang") from taken
        raise


async def add_report(uow: UnitOfWork, report: Report) -> None:
    """Append a report or a sign of life."""
    await uow.execute(
        ADD_REPORT,
        {
            "record": report.record, "kind": report.kind, "source": report.source, "captured_at": report.captured_at,
            "received_at": uow.now, "reporter": uow.actor.sub, "reporter_person_id": report.reporter_person_id,
            "document_id": report.document_id,
        },
    )  # fmt: skip


async def reports(uow: UnitOfWork, id: UUID) -> list[Any]:
    """All reports and signs of life of a record, oldest first."""
    return list(await uow.execute(REPORTS, {"id": id}))


async def live_record_of(uow: UnitOfWork, person_id: UUID, but: UUID | None = None) -> UUID | None:
    """The person's death record that counts, other than `but`."""
    found = (await uow.execute(LIVE_OF_PERSON, {"person_id": person_id, "but": but})).scalar_one_or_none()
    return None if found is None else UUID(str(found))


async def live_record_of_akta(uow: UnitOfWork, issuer: str, akta: str, but: UUID | None = None) -> UUID | None:
    """The record certified by this akta, over all years, other than `but`."""
    given = {"issuer": issuer, "akta": akta, "but": but}
    found = (await uow.execute(LIVE_OF_AKTA, given)).scalar_one_or_none()
    return None if found is None else UUID(str(found))


async def due(uow: UnitOfWork, before: datetime, limit: int) -> Sequence[UUID]:
    """Reports that nobody confirmed and that hold aid since before this instant."""
    return list((await uow.execute(DUE, {"before": before, "limit": limit})).scalars())


async def life_signs(uow: UnitOfWork, id: UUID) -> int:
    """How often the person was met alive after this record."""
    return int((await uow.execute(LIFE_SIGNS, {"id": id})).scalar_one())


async def forget(uow: UnitOfWork, person_id: UUID) -> int:
    """Destroy what reports said of who died; of how many records. Dates, states and papers' numbers stay."""
    return len((await uow.execute(FORGET, {"id": person_id})).all())
