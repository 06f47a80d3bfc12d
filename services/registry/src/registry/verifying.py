"""What must hold in the registry's rows at any moment; `registry verify` and the fault tests ask."""

from collections.abc import Awaitable, Callable

from kit.db.uow import UnitOfWork
from sqlalchemy import TextClause, text

LIFE_FOLLOWS_DEATHS = text("""
    SELECT p.id FROM person AS p LEFT JOIN person_facts AS f ON f.person_id = p.id
    LEFT JOIN death_record AS d ON d.person_id = p.id AND d.state NOT IN ('revoked', 'void')
    WHERE coalesce(f.life, 'none') <> CASE
        WHEN d.id IS NULL OR (d.state = 'reported' AND d.hold_expired_at IS NOT NULL) THEN 'alive'
        WHEN d.state = 'certified' THEN 'dead' ELSE 'death_reported' END
    LIMIT 20
""")
ONE_LIVE_DEATH = text("""
    SELECT person_id AS id FROM death_record WHERE state NOT IN ('revoked', 'void') AND person_id IS NOT NULL
    GROUP BY person_id HAVING count(*) > 1 LIMIT 20
""")
CERTIFIED_BY_ANOTHER = text("""
    SELECT d.id FROM death_record AS d JOIN death_report AS r ON r.death_record_id = d.id AND r.kind = 'death'
    WHERE d.certified_by = r.reporter AND d.state IN ('certified', 'revoked') LIMIT 20
""")
ONE_MATCHED_NIK = text("""
    SELECT min(id::text) AS id FROM identity_claim WHERE scheme = 'nik' AND state = 'matched'
    GROUP BY value_bidx HAVING count(*) > 1 LIMIT 20
""")
EVENTS_COUNTED = text("""
    SELECT o.key AS id FROM outbox AS o JOIN person AS p ON p.id = o.key
    WHERE o.type LIKE 'org.santun.registry.%' GROUP BY o.key, p.seq
    HAVING max(o.sequence) <> p.seq OR count(DISTINCT o.sequence) <> count(*) LIMIT 20
""")

ERASED_IS_EMPTY = text("""
    SELECT p.id FROM person AS p WHERE p.state = 'erased' AND (p.birth_date IS NOT NULL OR p.sex IS NOT NULL
        OR EXISTS (SELECT FROM person_name AS n WHERE n.person_id = p.id)
        OR EXISTS (SELECT FROM identity_claim AS c WHERE c.person_id = p.id)
        OR EXISTS (SELECT FROM contact AS c WHERE c.person_id = p.id)
        OR EXISTS (SELECT FROM payee_account AS a WHERE a.person_id = p.id)
        OR EXISTS (SELECT FROM residence AS r WHERE r.person_id = p.id AND r.street_enc IS NOT NULL)
        OR EXISTS (SELECT FROM death_record AS d WHERE d.person_id = p.id AND d.subject_name_enc IS NOT NULL))
    LIMIT 20
""")


def _none(sentence: str, statement: TextClause) -> Callable[[UnitOfWork], Awaitable[list[str]]]:
    """An invariant that holds when the statement finds nothing."""

    async def check(uow: UnitOfWork) -> list[str]:
        return [f"{sentence}: {row.id}" for row in await uow.execute(statement)]

    return check


INVARIANTS = {
    "life follows the death records": _none("life is not what the death record says, person", LIFE_FOLLOWS_DEATHS),
    "one live death record a person": _none("more than one live death record, person", ONE_LIVE_DEATH),
    "who reports a death does not certify it": _none("certified by a reporter, record", CERTIFIED_BY_ANOTHER),
    "one person a matched NIK": _none("one NIK matched twice, claim", ONE_MATCHED_NIK),
    "of an erased person nothing is left": _none("personal data of an erased person", ERASED_IS_EMPTY),
    "events of a person are counted without gaps": _none("event numbers do not add up, person", EVENTS_COUNTED),
}
