"""The world before the payments: people with accounts at the registry, their places and due rights at the disbursement.

Written set-based past the services; nothing of it is measured. The accounts are sealed by the registry's own code, so that
its routes open them as in operation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from kit.ids import new_id
from registry import restricted
from registry.payees import accounts
from stack.running import Running

AMOUNT_IDR = 150_000
PERIOD = "2026-08"
DUE_ON = "2026-08-03"
BANK = "110"
PIECE = 50_000

_EVERYONE = "CREATE TABLE everyone (id uuid PRIMARY KEY, place text NOT NULL)"
_REGISTRY = (
    """
INSERT INTO person (id, birth_date, birth_precision, sex, region_code, registered)
SELECT id, '1955-05-05', 1, 'P', place, true FROM everyone ORDER BY id
""",
    """
INSERT INTO person_facts (person_id, region_code, life, nik_state, kk_state, registered, desil_state, payee_state)
SELECT id, place, 'alive', 'matched', 'matched', true, 'unknown', 'active' FROM everyone ORDER BY id
""",
)
_PROGRAMME = """
INSERT INTO programme (id, code, name_id, name_en, kind, unit, instrument, form, owner_unit, owner_regions, state)
VALUES ($1, 'LANSIA', 'Bantuan lansia', 'Elderly aid', 'recurring_cash', 'person', 'bansos', 'uang', 'dinsos', '{32.76}', 'active')
"""
_RULE = """
INSERT INTO rule_version (id, programme_id, no, effective, date_basis, ast, benefit, docs, sha256, written_by)
VALUES ($1, $2, 1, '[2026-01-01,)', 'period_start', '{}', '{"amount_idr": 150000, "component": "uang"}', '[]',
    repeat('a', 64), 'bench')
"""
_FACTS = """
INSERT INTO fact_person (person_id, canonical_id, facts_version, updated_at) SELECT id, id, 1, now() FROM everyone ORDER BY id
"""
_RIGHTS = """
WITH place AS (
    INSERT INTO enrolment (programme_id, subject_id, holder_person_id, region_code, state, nominated_by)
    SELECT $1, id, id, place, 'active', 'bench' FROM everyone ORDER BY id RETURNING id, subject_id, region_code
)
INSERT INTO entitlement (programme_id, enrolment_id, subject_id, beneficiary_person_id, payee_person_id, period,
    period_year, quantity, value_idr, rule_version_id, budget_line_id, region_code, due_on, qualifying_on, state)
SELECT $1, id, subject_id, subject_id, subject_id, $3::text, 2026, $4::bigint, $4::bigint, $2, $5, region_code, $6::text::date,
    $6::text::date, 'due' FROM place
"""


@dataclass(frozen=True, slots=True)
class World:
    """What the lists are made of: a programme, a budget line, and so many due rights in each village."""

    programme_id: UUID
    line_id: UUID
    places: tuple[str, ...]
    people: int

    @property
    def total_idr(self) -> int:
        """What all rights together are worth."""
        return self.people * AMOUNT_IDR


async def settle_in(
    registry: Running, disbursement: Running, line_id: UUID, sizes: tuple[int, ...], *, analyzed: bool = True
) -> World:
    """Make people and rights, one village of them for each list to come; `analyzed`: the planner knows of them."""
    places = tuple(f"32.76.{no // 9 + 1:02}.{1001 + no % 9}" for no in range(len(sizes)))
    everyone = [(new_id(), place) for place, size in zip(places, sizes, strict=True) for _ in range(size)]
    world = World(new_id(), line_id, places, len(everyone))
    await _registry(registry, everyone, analyzed=analyzed)
    await _disbursement(disbursement, world, everyone, analyzed=analyzed)
    return world


async def connect(running: Running) -> asyncpg.Connection:
    """The superuser in the database of a service."""
    return await asyncpg.connect(running.parts.postgres.url(running.database))


async def _registry(registry: Running, everyone: list[tuple[UUID, str]], *, analyzed: bool) -> None:
    connection = await connect(registry)
    await connection.execute("SET session_replication_role = replica")
    await connection.execute(_EVERYONE)
    await connection.copy_records_to_table("everyone", records=everyone)
    for statement in _REGISTRY:
        await connection.execute(statement)
    for piece in _accounts(registry, everyone):
        await connection.copy_records_to_table(
            "payee_account", records=piece,
            columns=("id", "person_id", "rail", "bank_code", "account_enc", "account_bidx", "bidx_key_id", "last4",
                     "holder_name", "name_match", "is_default", "state"),
        )  # fmt: skip
    await _finish(connection, analyzed=analyzed)


def _accounts(registry: Running, everyone: list[tuple[UUID, str]]) -> Iterator[list[tuple[Any, ...]]]:
    """An active default account for everybody, sealed and indexed."""
    fields, index = registry.runtime.fields, registry.runtime.index
    for start in range(0, len(everyone), PIECE):
        made = []
        for number, (person, _) in enumerate(everyone[start : start + PIECE], start=start):
            id, digits = new_id(), f"7{number:011}"
            sealed = restricted.seal(fields, restricted.ACCOUNT_NUMBER, id, digits)
            token = index.of(restricted.ACCOUNT, accounts.index_text("bank", BANK, digits))
            made.append(
                (id, person, "bank", BANK, sealed, token, index.key_id, digits[-4:], f"PENERIMA CONTOH {number % 1000}",
                 "exact", True, "active")
            )  # fmt: skip
        yield made


async def _disbursement(
    disbursement: Running, world: World, everyone: list[tuple[UUID, str]], *, analyzed: bool
) -> None:
    connection = await connect(disbursement)
    rule_id = new_id()
    await connection.execute("SET session_replication_role = replica")
    await connection.execute(_EVERYONE)
    await connection.copy_records_to_table("everyone", records=everyone)
    await connection.execute(_PROGRAMME, world.programme_id)
    await connection.execute(_RULE, rule_id, world.programme_id)
    await connection.execute(_FACTS)
    await connection.execute(_RIGHTS, world.programme_id, rule_id, PERIOD, AMOUNT_IDR, world.line_id, DUE_ON)
    await _finish(connection, analyzed=analyzed)


async def _finish(connection: asyncpg.Connection, *, analyzed: bool) -> None:
    """Statistics, if wanted, and a clean log, so that the first phase does not pay for the seeding."""
    await connection.execute("DROP TABLE everyone")
    await connection.execute("VACUUM ANALYZE" if analyzed else "VACUUM")
    await connection.execute("CHECKPOINT")
    await connection.close()
