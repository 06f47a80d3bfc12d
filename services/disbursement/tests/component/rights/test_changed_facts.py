"""An import of the registry tells of everybody at once; what changed is remembered for those who are known here."""

from collections.abc import Awaitable, Callable

from disbursement.rules import commands
from disbursement.rules.store import Changed
from kit.auth.actor import Actor
from kit.ids import new_id
from stack.running import Running

_KNOWN = "INSERT INTO fact_person (person_id, canonical_id, facts_version, updated_at) VALUES ($1, $1, $2, now())"


async def test_many_changes_at_once_are_what_one_after_another_would_be(
    service_factory: Callable[..., Awaitable[Running]],
) -> None:
    office = await service_factory("disbursement")
    twice, behind, ahead, unknown = (new_id() for _ in range(4))
    for person, version in ((twice, 1), (behind, 1), (ahead, 9)):
        await office.sql(_KNOWN, person, version)
    told = [
        Changed(twice, 2, ["life", "family"]), Changed(behind, 2, ["welfare"]), Changed(ahead, 8, ["welfare"]),
        Changed(unknown, 2, ["life"]), Changed(twice, 3, ["family", "payee"]), Changed(behind, 3, []),
    ]  # fmt: skip
    for changed in (told, []):
        async with office.runtime.begin(Actor.system("consumer")) as uow:
            await commands.mark_changed(uow, changed)
    rows = await office.sql("SELECT person_id, stale_groups FROM fact_person")
    assert {row["person_id"]: sorted(row["stale_groups"]) for row in rows} == {
        twice: ["family", "life", "payee"],
        behind: ["welfare"],
        ahead: [],
    }
