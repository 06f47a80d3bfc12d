"""Chapter 1: the data operator uploads the family list; another person approves it."""

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from stack.story.teller import Case, Memory, Teller
from stack.synthetic.families import Family, Person, families, line_of, lines
from stack.synthetic.files import write_csv
from stack.trouble import Trouble

SEED = 2023
BROKEN = 0.002
"""Share of lines that cannot be a person at all."""
VILLAGES = ("32.76.03.1001", "32.76.03.1002")
"""The kelurahan whose officers the demonstration has."""
DOUBTFUL = {"nik_beda", "nik_rusak", "nik_kosong", "nik_ganda", "meninggal"}
RELATIVES = {3, 7}
"""Wife and parent, by their relation to the head (SHDK)."""
BORN_BEFORE = 1962


async def tell(teller: Teller, memory: Memory) -> None:
    """Import the list and choose, from the list alone, the families that the story is about."""
    teller.day(0)
    listed = list(families(memory.families, seed=SEED))
    run = await _upload(teller, listed)
    if run["state"] in {"received", "parsed", "ready", "held"}:
        run = await teller.until(
            "the list is read", lambda: _state(teller, run["id"], {"ready", "held", "rejected", "applied"})
        )
    if run["state"] == "rejected":
        raise Trouble(f"The family list was rejected: {run.get('reasons')}")
    teller.day(0, 10)
    if run["state"] in {"ready", "held"}:
        who = "kabid" if run["state"] == "ready" else "kadis"
        await teller.ask(who, "registry", f"/v1/imports/{run['id']}/sample")
        await teller.do(
            who, "registry", f"/v1/imports/{run['id']}:approve", key="daftar-setuju", version=run["version"]
        )
        run = await teller.until("the list is applied", lambda: _state(teller, run["id"], {"applied"}))
    memory.figures["rows_read"], memory.figures["rows_ok"] = run["rows_read"], run["rows_ok"]
    memory.figures["rows_rejected"] = run["rows_rejected"]
    teller.say(
        f"Family list applied: {run['rows_ok']:,} of {run['rows_read']:,} lines, {run['rows_rejected']:,} rejected with reasons"
    )
    choose(memory, listed)


async def _upload(teller: Teller, listed: Sequence[Family]) -> dict[str, Any]:
    """The same file again answers with its first run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "daftar-keluarga.csv"
        count = write_csv(path, lines(iter(listed), broken=BROKEN, seed=SEED))
        teller.say(f"Uploading a list of {len(listed):,} families, {count:,} lines")
        desk = teller.office.desk("op_kab", "registry")
        with path.open("rb") as file:
            answer = await desk.post(
                "/v1/imports",
                files={"file": (path.name, file, "text/csv")},
                data={"source": "dtsen", "region_code": "32.76", "as_of": "2023-03-01", "client_ref": "cerita-daftar"},
                headers={"Idempotency-Key": "cerita-daftar-unggah"},
                timeout=120,
            )
    if answer.is_error:
        raise Trouble(f"The upload was answered {answer.status_code}: {answer.text[:500]}")
    run: dict[str, Any] = await teller.ask("op_kab", "registry", f"/v1/imports/{answer.json()['id']}")
    return run


async def _state(teller: Teller, id: str, wanted: set[str]) -> dict[str, Any] | None:
    run = await teller.ask("op_kab", "registry", f"/v1/imports/{id}")
    return run if run["state"] in wanted else None


def choose(memory: Memory, listed: Sequence[Family]) -> None:
    """Pick, in two kelurahan, families with a reachable head and a member whose number is beyond doubt."""
    bearers, here, broken = _read(listed)

    def alone(person: Person) -> bool:
        return bearers[person.nik] == 1 and person.row_id not in broken and _clean(person)

    for number, family in here:
        if not alone(family.head):
            continue
        deceased = _who_dies(family, alone)
        if deceased is not None and len(memory.cases) < memory.claims_count:
            memory.cases.append(_case(number, family, deceased))
        elif family.head.birth_date.year <= BORN_BEFORE:
            memory.elder_niks.append(family.head.nik)
    if len(memory.cases) < memory.claims_count:
        raise Trouble(f"The list holds only {len(memory.cases)} families for the story.")


def _read(listed: Sequence[Family]) -> tuple[Counter[str], list[tuple[int, Family]], set[str]]:
    """The list once more: how many bear each NIK, the families of the two kelurahan, the lines that were spoilt."""
    bearers: Counter[str] = Counter()
    here: list[tuple[int, Family]] = []
    broken: set[str] = set()
    uploaded = lines(iter(listed), broken=BROKEN, seed=SEED)
    for number, family in enumerate(listed):
        for person in family.people:
            bearers[person.nik] += 1
            if next(uploaded) != line_of(family, person):
                broken.add(person.row_id)
        if family.region in VILLAGES:
            here.append((number, family))
    return bearers, here, broken


def _case(number: int, family: Family, deceased: Person) -> Case:
    return Case(
        number=number,
        village=family.region,
        deceased_nik=deceased.nik,
        heir_nik=family.head.nik,
        akta_no=f"3276-KM-{6032023:08d}-{number:05d}",
    )


def _who_dies(family: Family, alone: Callable[[Person], bool]) -> Person | None:
    """The eldest wife or parent of a living head; the head is the heir."""
    if not (family.head.account and (family.head.phone or family.head.email)):
        return None
    others = [person for person in family.people[1:] if alone(person) and person.relation in RELATIVES]
    return min(others, key=lambda person: person.birth_date, default=None)


def _clean(person: Person) -> bool:
    return not DOUBTFUL & set(person.defects) and person.status == 1
