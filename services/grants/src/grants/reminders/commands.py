"""Tell the rungs that are due, each once, by rows that are unique on (file, end, rung)."""

from datetime import date
from uuid import UUID

from kit.auth.actor import Actor
from kit.db.uow import UnitOfWork, lock
from kit.runtime import Runtime
from sqlalchemy import text

from grants.accreditation.queries import Row as AccreditationRow
from grants.events import FileTold, payload
from grants.institutions import commands as institutions
from grants.registration.queries import Row as RegistrationRow
from grants.reminders.domain import LADDER, due

ACTOR = Actor.system("expiry-ladder")
WORK_LIST = 200
EVENTS = {"registration": "lks.registration.expiring", "accreditation": "lks.accreditation.expiring"}

NEAR = text(
    "SELECT f.kind, f.id, f.institution_id, f.valid_until, (SELECT max(s.at) FROM step s WHERE s.file_id = f.id"
    " AND s.to_state IN ('registered', 'accredited')) AS known, array(SELECT rung FROM reminder m WHERE m.file_id = f.id"
    " AND m.valid_until = f.valid_until) AS told"
    " FROM (SELECT 'registration' AS kind, id, institution_id, valid_until FROM registration WHERE state = 'registered'"
    " UNION ALL SELECT 'accreditation', id, institution_id, valid_until FROM accreditation WHERE state = 'accredited') AS f"
    " WHERE f.valid_until BETWEEN :today AND :widest AND f.id > :after ORDER BY f.id LIMIT :limit"
)
TELL = text(
    "INSERT INTO reminder (file_id, valid_until, rung, told_at) VALUES (:file, :until, :rung, :at)"
    " ON CONFLICT DO NOTHING RETURNING rung"
)
_FIRST = UUID(int=0)


async def remind(runtime: Runtime) -> None:
    """Walk all certificates and accreditations that end within half a year, each in a transaction of its own."""
    after = _FIRST
    while True:
        async with runtime.begin(ACTOR) as uow:
            widest = date.fromordinal(uow.today.toordinal() + LADDER[0])
            params = {"today": uow.today, "widest": widest, "after": after, "limit": WORK_LIST}
            near = (await uow.execute(NEAR, params)).all()
            zone = runtime.clock
        if not near:
            return
        for found in near:
            after = found.id
            known = found.known.date() if found.known else zone.today()
            if rungs := due(found.valid_until, known, zone.today(), found.told):
                async with runtime.begin(ACTOR) as uow:
                    await _tell(uow, found.kind, found.id, found.institution_id, rungs)


async def _tell(uow: UnitOfWork, kind: str, file_id: UUID, institution_id: UUID, rungs: list[int]) -> None:
    institution = await institutions.hold(uow, institution_id)
    table = RegistrationRow if kind == "registration" else AccreditationRow
    row: RegistrationRow | AccreditationRow = await lock(uow, table, file_id, None)
    if row.state not in {"registered", "accredited"} or row.valid_until is None:
        return
    for rung in rungs:
        params = {"file": row.id, "until": row.valid_until, "rung": rung, "at": uow.now}
        if (await uow.execute(TELL, params)).scalar_one_or_none() is None:
            continue
        told = FileTold(
            lks_id=institution.id, registration_id=row.id, accreditation_id=row.id, valid_until=row.valid_until,
            days_left=rung, region=institution.region_code, state=row.state,
            kind=getattr(row, "kind", None), grade=getattr(row, "grade", None),
        )  # fmt: skip
        event = EVENTS[kind]
        key = institution if isinstance(row, RegistrationRow) else row
        await uow.announce(key, event, payload(uow, event, told))
