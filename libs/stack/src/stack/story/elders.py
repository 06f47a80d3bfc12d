"""Chapter 3: a monthly aid for elders begins; some of them will die in the next chapter, and it stops."""

import hashlib
from typing import Any

from stack.story.deaths import OPERATORS, find
from stack.story.list_import import VILLAGES
from stack.story.teller import Case, Memory, Teller, document

ELDERS = 20
"""Living elders who get the aid, besides those of the story's dead who were old enough."""
PERIODS = ("2023-03", "2023-04")
"""The first is due at once; the second is only planned when death comes."""


async def tell(teller: Teller, memory: Memory) -> None:
    """Nominate, decree, generate the rights of March and April."""
    teller.day(1, 9)
    enrolled: list[dict[str, Any]] = []

    async def nominate(nik: str) -> None:
        enrolled.append(await _nominate(teller, memory, nik))

    niks = [*memory.elder_niks[:ELDERS], *(case.deceased_nik for case in _old(memory))]
    await teller.each(niks, nominate)
    await _decree(teller, memory, sorted(e["id"] for e in enrolled if e["state"] == "eligible"))
    await teller.each([e["id"] for e in enrolled if e["state"] != "refused"], lambda place: _active(teller, place))
    teller.day(1, 14)
    for period in PERIODS:
        cycle = await teller.do(
            "program_manager", "disbursement", "/v1/cycles",
            {"programme_id": memory.elderly["id"], "period": period}, key=f"lansia-{period}",
        )  # fmt: skip
        cycle = await teller.do(
            "kadis",
            "disbursement",
            f"/v1/cycles/{cycle['id']}:approve",
            key=f"lansia-setuju-{period}",
            version=cycle["version"],
        )
    memory.figures["elderly_rights"] = cycle["control_count"]
    teller.say(f"{cycle['control_count']} elders receive Rp 150,000 a month; the rights of March and April are made")


def _old(memory: Memory) -> list[Case]:
    """Those of the dead who were sixty: their NIK says so, less forty days for women."""
    return [case for case in memory.cases if 20 < int(case.deceased_nik[10:12]) < 62][:5]


async def _nominate(teller: Teller, memory: Memory, nik: str) -> dict[str, Any]:
    operator = OPERATORS[VILLAGES[0]]
    found: dict[str, Any] = await teller.do(
        operator, "registry", "/v1/persons:search", {"nik": nik}, key=f"cari-lansia-{nik[6:]}"
    )
    if not found["items"]:
        operator = OPERATORS[VILLAGES[1]]
    person = await find(teller, operator, nik, f"cari-lansia-{nik[6:]}-b")
    return await teller.do(
        operator, "disbursement", "/v1/enrolments",
        {"programme_id": memory.elderly["id"], "subject_id": person, "payee_person_id": person, "client_ref": f"cerita-{person}"},
        key=f"calon-{person}",
    )  # fmt: skip


async def _active(teller: Teller, enrolment: str) -> None:
    """A decreed place is activated by the system's own rule."""

    async def found() -> bool | None:
        place = await teller.ask("program_manager", "disbursement", f"/v1/enrolments/{enrolment}")
        return None if place["state"] in {"eligible", "decreed"} else True

    await teller.until("the places of the elders become active", found)


async def _decree(teller: Teller, memory: Memory, enrolments: list[str]) -> None:
    listed = hashlib.sha256("".join(f"{id}\n" for id in enrolments).encode()).hexdigest()
    await teller.do(
        "kadis", "disbursement", "/v1/decrees",
        {
            "programme_id": memory.elderly["id"], "number": "466/88/2023", "issued_on": "2023-03-07",
            "document_sha256": document("sk-lansia"), "list_sha256": listed, "starts_on": "2023-03-01",
            "enrolment_ids": enrolments, "client_ref": "cerita-sk-lansia",
        },
        key="lansia-sk",
    )  # fmt: skip
