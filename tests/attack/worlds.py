"""What there is to steal: for each service one object of every type in one village, made over the API by its own officers.

`ids` are found by the first part of an address (`persons` in `/v1/persons/{person_id}`), `named` by the name of a field
or of a parameter, `asked` by the whole route. Whatever stands in `secrets` must never be in an answer to somebody else.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import money_office
import rights_office
from grants_desk import Desk as GrantsDesk
from grants_desk import paper
from kit.ids import new_id
from registry_office import Office, command, good, nik
from stack import bank
from stack.bank import Faults
from stack.running import Running

NAME = "Kartini Rahasia Wulandari"
PHONE = "081298765432"
ACCOUNT = "0012345678"
STREET = "Jalan Rahasia 77"
PUBLIC = {"budget_line", "cycle", "decree", "journal", "legal_basis", "outbox", "programme", "recon_item", "result_file",
    "result_row", "rule_version", "statement_entry", "suppression", "treasury_doc"}  # fmt: skip
"""Tables of the whole office; the ids of all others are nobody else's business."""
_PRIVATE = """
SELECT c.table_name AS name FROM information_schema.columns c JOIN pg_class r ON r.relname = c.table_name
WHERE c.table_schema = 'public' AND c.column_name = 'id' AND c.data_type = 'uuid' AND r.relkind IN ('r', 'p')
    AND NOT r.relispartition AND c.table_name <> ALL($1) ORDER BY 1
"""


@dataclass
class World:
    """One service with something in `village`; strangers come with `elsewhere`."""

    running: Running
    village: str = "32.76.03.1001"
    home: tuple[str, ...] = ("32.76",)
    elsewhere: tuple[str, ...] = ("32.76.03.1002", "32.75")
    ids: dict[str, str] = field(default_factory=dict)
    named: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)

    async def sealed(self) -> "World":
        """Take the id of every row that is not of the whole office into the secrets."""
        for table in await self.running.sql(_PRIVATE, sorted(PUBLIC)):
            rows = await self.running.sql(f"SELECT id FROM {table['name']}")
            self.secrets |= {str(row["id"]) for row in rows}
        return self


async def registry(running: Running) -> World:
    """A family with numbers, account, contact, an ordered erasure, a reported death and a list that waits for approval."""
    office = Office(running)
    number = nik(77)
    street = {"region_code": "32.76.03.1001", "since": "2020-01-01", "street": STREET}
    head = await office.person(NAME, nik=number, client_ref="warga-1", reason=None, address=street)
    other = await office.person("Budi Rahasia", sex="L", birth_date="1948-02-02")
    kk = {"region_code": "32.76.03.1001", "client_ref": "kk-1", "kk": "3276030101200001"}
    members = [{"person_id": p["id"], "shdk": n, "since": "2020-01-01"} for n, p in ((1, head), (3, other))]
    family = good(await office.desa.post("/v1/families", json={**kk, "members": members}))
    account = {"person_id": head["id"], "rail": "bank", "bank_code": "BJB", "account": ACCOUNT, "holder_name": NAME}
    second = {**account, "account": "0087654321"}
    account = good(await office.desa.post("/v1/payee-accounts", json=account))
    second = good(await office.desa.post("/v1/payee-accounts", json=second))
    contact = {"person_id": head["id"], "kind": "phone", "value": PHONE}
    contact = good(await office.desa.post("/v1/contacts", json=contact))
    death = await office.certified(await office.death(other["id"], client_ref="wafat-1"))
    form = {"source": "dtsen", "region_code": "32.76", "as_of": "2026-01-01", "client_ref": "impor-1"}
    listed = good(await office.kab.post("/v1/imports", files={"file": ("daftar.csv", _list())}, data=form))
    from registry.imports import worker

    await worker.work(running.runtime)
    claims = good(await office.desa.get(f"/v1/persons/{head['id']}/identity-claims"))["items"]
    seen = good(await office.desa.get(f"/v1/persons/{head['id']}"))
    good(await command(office.dpo, "persons", seen, "order-erasure", {"basis": "retention_over"}))
    world = World(
        running,
        ids={
            "persons": head["id"], "families": family["id"], "payee-accounts": account["id"], "contacts": contact["id"],
            "deaths": death["id"], "imports": listed["id"], "identity-claims": claims[0]["id"],
        },
        named={
            "person_id": head["id"], "person_ids": [head["id"], other["id"]], "family_id": family["id"],
            "death_record_id": death["id"], "replacement_id": second["id"], "akta_no": "3276-KM-14072026-0007",
            "issuer_code": "32.76", "items": [{"person_id": head["id"], "facts_version": 0}], "nik": number,
            "members": [{"person_id": head["id"], "shdk": 1}], "facts": ["life", "domicile"], "region": "32.76",
            "officers": [{"subject": "desa-1", "person_id": head["id"]}], "shdk": 4, "former_shdk": 9, "kind": None,
            "client_ref": None,
        },
        asked={
            "GET /v1/persons": {"client_ref": "warga-1"}, "GET /v1/families": {"client_ref": "kk-1"},
            "GET /v1/regions": {"within": "32.76.03"},
        },
        secrets={NAME, PHONE, "+62" + PHONE[1:], ACCOUNT, STREET, number, "3276030101200001"},
    )  # fmt: skip
    return await world.sealed()


async def disbursement(running: Running) -> World:
    """Claims in two states, a recovery, a place and its right, a decree, a batch at the bank with a payment to mend."""
    running.clock.set(datetime(2026, 8, 3, 2, tzinfo=UTC))
    register, desk = rights_office.Register(), money_office.Desk()
    running.runtime.wiring.registry, running.runtime.wiring.desk = rights_office.Port(register), desk
    rights, money = rights_office.Office(running, register), money_office.Office(running, desk)
    await rights.depok()
    death = register.death(date(2026, 7, 20))
    claim = await rights.payable(death)
    await rights.pay(claim)
    taken_back = {
        "death_record_id": str(death.record_id), "person_id": str(death.person_id), "died_on": "2026-07-20",
        "source": "dukcapil", "region": "32.76.03", "state": "revoked",
    }  # fmt: skip
    await running.deliver("death.revoked", taken_back, key=death.record_id)
    await rights.filed(register.death(date(2026, 7, 21)))
    claimant = claim["claimant_person_id"]
    recovery = (await rights.get("kabid", "/v1/recoveries"))["items"][0]
    money.line_id = UUID(await rights.line(100_000_000, 2026, "1.06.06"))
    batch, payment, file = await _paid(money)
    [place] = await running.sql("SELECT id, subject_id, programme_id FROM enrolment ORDER BY id LIMIT 1")
    [right] = await running.sql("SELECT id FROM entitlement WHERE enrolment_id = $1", place["id"])
    await running.sql(_WHY, new_id(), place["id"], place["subject_id"], place["programme_id"])
    world = World(
        running,
        ids={
            "claims": claim["id"], "recoveries": recovery["id"], "batches": batch["id"], "payments": payment["id"],
            "payment-files": file["id"], "enrolments": str(place["id"]), "entitlements": str(right["id"]),
            "subjects": claimant, "programmes": rights.programme_id, "budget-lines": str(money.line_id),
        },
        named={
            "claim_id": claim["id"], "claimant_person_id": claimant, "person_id": recovery["subject_person_id"],
            "death_record_id": claim["death_record_id"], "batch_id": batch["id"], "line_ids": [payment["id"]],
            "viewed": [payment["id"]], "enrolment_id": str(place["id"]), "enrolment_ids": [str(place["id"])],
            "subject_id": str(place["subject_id"]), "programme_id": str(place["programme_id"]), "region": "32.76",
            "budget_line_id": str(money.line_id), "beneficiary_person_id": str(place["subject_id"]), "due_on": "2026-08-03",
            "payee_person_id": claimant, "client_ref": None, "kind": None, "state": None, "covers_file_id": None,
        },
        asked={"GET /v1/entitlements": {"enrolment_id": str(place["id"])}, "GET /v1/claims": {"region": "32.76"}},
        secrets={str(place["subject_id"]), claimant, claim["death_record_id"], recovery["subject_person_id"]},
    )  # fmt: skip
    return await world.sealed()


async def grants(running: Running) -> World:
    """An institution that is registered, with a paper, and a cycle of accreditation."""
    running.clock.set(datetime(2026, 7, 1, 5, tzinfo=UTC))
    desk = GrantsDesk(running)
    lks = await desk.ready("Panti Rahasia Nusantara")
    file = await desk.registered(lks)
    letter = {"institution_id": lks["id"], "kind": "akta_notaris", **paper("AKTA-RAHASIA-1")}
    document = await desk.good("lks_pengurus", "documents", letter, lks=lks["id"])
    cycle = await desk.good("lks_pengurus", "accreditations", {"institution_id": lks["id"]}, lks=lks["id"])
    await desk.good("verifikator", f"institutions/{lks['id']}:evaluate-eligibility", {})
    world = World(
        running,
        village="34.04.07.2001",
        home=("34.04",),
        elsewhere=("34.04.07.2002", "34.71"),
        ids={
            "institutions": lks["id"], "registrations": file["id"], "documents": document["id"], "accreditations": cycle["id"],
        },
        named={
            "institution_id": lks["id"], "region": "34.04", "supersedes": document["id"], "name": "Panti Rahasia",
            "client_ref": None, "state": None, "kind": "akta_notaris", "different_from": [lks["id"]],
        },
        secrets={"Rahasia", "AKTA-RAHASIA-1"},
    )  # fmt: skip
    return await world.sealed()


async def notifications(running: Running) -> World:
    """A planned message, one that was sent to print, and an office's address."""
    running.clock.set(datetime(2026, 7, 1, 5, tzinfo=UTC))
    person, subject = new_id(), new_id()
    filed = {
        "claim_id": str(subject), "programme_id": str(new_id()), "death_record_id": str(new_id()), "reasons": [],
        "claimant_person_id": str(person), "missing": [], "late_upload": False, "region": "32.76.03", "state": "filed",
    }  # fmt: skip
    await running.deliver("claim.filed", filed, key=subject)
    await running.sql("UPDATE message SET needs_paper = true")
    [message] = await running.sql("SELECT id, event_id, subject_id FROM message ORDER BY id LIMIT 1")
    entry = {"role": "kadis", "region_code": "32.76", "mail": "kadis@dinsos.example", "client_ref": "kadis-1"}
    async with running.client("dinsos_operator", regions=["32.76"]) as office:
        entry = good(await office.post("/v1/directory-entries", json=entry))
    world = World(
        running,
        ids={"messages": str(message["id"]), "directory-entries": entry["id"]},
        named={
            "subject_id": str(message["subject_id"]), "event_id": str(message["event_id"]), "person_id": str(person),
            "role": None, "client_ref": None, "state": None, "until": None, "since": "2026-06-01T00:00:00Z", "needs_paper": "true",
        },
        secrets={str(person), str(subject)},
    )  # fmt: skip
    return await world.sealed()


WORLDS: dict[str, Callable[[Running], Awaitable[World]]] = {
    "registry": registry,
    "disbursement": disbursement,
    "grants": grants,
    "notifications": notifications,
}

_WHY = """
INSERT INTO decision (id, at, step, outcome, aggregate, aggregate_id, subject_person_id, programme_id, region_code, as_of, decided_by)
VALUES ($1, now(), 'review', 'eligible', 'enrolment', $2, $3, $4, '32.76.03.1001', now(), 'test')
"""


async def _paid(money: money_office.Office) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A batch at the bank; one of its two payments came back: batch, that payment, the file."""
    await money.grant(2, 2_000_000)
    batch = await money.approved()
    await money.fund(batch)
    await money.export(batch)
    await money.sent(batch)
    [order] = await money.orders(batch)
    back = order.transfers[0].reference
    await money.bank_says(bank.notice(order, date(2026, 8, 4), Faults(returned={back: "AC04"})))
    found = (await money.get("kabid", "/v1/payments", batch_id=batch["id"], state="repair"))["items"]
    files = await money.get("exporter", f"/v1/batches/{batch['id']}/files")
    return batch, found[0], files[0]


def _list() -> bytes:
    """A family list with good and bad lines."""
    import csv
    import io

    from stack.synthetic import families

    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(families.COLUMNS)
    street = families.COLUMNS.index("alamat")
    for line in families.lines(families.families(60, seed=3), broken=0.2, seed=3):
        writer.writerow([STREET if place == street else cell for place, cell in enumerate(line)])
    return out.getvalue().encode()
