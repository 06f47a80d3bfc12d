"""The facts of an institution on which eligibility is judged, and the stored answers."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import text

from grants.accreditation import queries as accreditations
from grants.eligibility.domain import Signer, Standing, Validity
from grants.institutions import queries as institutions
from grants.institutions.queries import Row as InstitutionRow
from grants.registration import queries as registrations

ENDED = text(
    "SELECT file_id, min(on_date) AS on_date FROM step WHERE institution_id = :id AND to_state IN ('revoked', 'dissolved')"
    " GROUP BY file_id"
)
ANSWERS = text(
    "SELECT id, as_of, call, eligible, reasons, not_evaluated, asked_by, asked_at FROM eligibility_answer"
    " WHERE institution_id = :id ORDER BY id DESC LIMIT 200"
)


async def standing(uow: UnitOfWork, institution: InstitutionRow, as_of: date) -> Standing:
    """All that is known of the institution; the function itself picks what holds on the day."""
    ended = {row.file_id: row.on_date for row in await uow.execute(ENDED, {"id": institution.id})}
    certificates = tuple(
        Validity(row.valid_from, row.valid_until, ended.get(row.id))
        for row in await registrations.certificates(uow, institution.id)
        if row.valid_from is not None
    )
    graded = tuple(
        Validity(row.issued_on, row.valid_until, ended.get(row.id), row.grade)
        for row in await accreditations.graded(uow, institution.id)
        if row.issued_on is not None
    )
    signers = tuple(
        Signer(officer.term_until, officer.proved_on is not None, officer.alive)
        for officer in await institutions.officers(uow, institution.id)
        if officer.ended_on is None or officer.ended_on > as_of
    )
    return Standing(
        certificates=certificates,
        accreditations=graded,
        account_settled=institution.account_state != "unknown",
        has_account=institution.account_state == "own",
        signers=signers,
        dissolved=institution.dissolved_on is not None and institution.dissolved_on <= as_of,
    )


async def answers(uow: UnitOfWork, institution_id: UUID) -> Sequence[Any]:
    """Stored answers, newest first."""
    return (await uow.execute(ANSWERS, {"id": institution_id})).all()
