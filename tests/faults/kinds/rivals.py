"""Rivals for the same rows: transactions that block each other crosswise, approvers at one moment, a bank that errs."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import httpx
from faults.ground import Ground, fault
from faults.load import ELDERS
from faults.payday import TODAY, Batch, Payday, Row
from kit.ids import new_id
from kit.testing import eventually
from stack import bank

DEADLOCKS = 3
PATIENT = "SET deadlock_timeout = '1h'"
"""Whoever waits longest finds the deadlock and is given up; it must be the service."""


@fault("transactions that block each other crosswise", steps=0)
async def deadlocks(ground: Ground) -> AsyncIterator[None]:
    """A foreign transaction wants what the service's holds, which wants what the foreign one holds."""
    service = ground.choose("registry", "disbursement")
    before = await _deadlocks(ground, service)
    for _ in range(DEADLOCKS):
        await _cross(ground, service)
    assert await _deadlocks(ground, service) >= before + DEADLOCKS
    yield


@fault("everybody approves at one moment, and who made the list too", steps=0)
async def approvers(ground: Ground) -> AsyncIterator[None]:
    """One approval counts; the others hear that the list has moved on, and the maker that this is not for them."""
    payday, batch = await _listed(ground)
    await payday.submit(batch)
    await payday.verify(batch)
    path, shown = f"/v1/batches/{batch.row['id']}:approve", payday.shown(batch)
    people = [name for name in ("kabid", "kadis", "program_manager", "verifikator") for _ in range(3)]

    async def approve(person: str) -> httpx.Response:
        headers = {"Idempotency-Key": str(new_id()), "If-Match": f'"{batch.row["version"]}"'}
        return await ground.desk.office.desk(person, "disbursement").post(path, json=shown, headers=headers)

    answers = await asyncio.gather(*(approve(person) for person in people))
    said = Counter(answer.status_code for answer in answers)
    assert said[httpx.codes.OK] == 1, said
    assert set(said) <= {200, 403, 409, 412, 503}, said
    (good,) = [answer for answer in answers if answer.status_code == httpx.codes.OK]
    batch.row = good.json()
    await payday.sign(batch)
    signed = await ground.stack.sql(
        "disbursement",
        "SELECT count(*) AS signatures, count(DISTINCT actor) AS people FROM approval WHERE batch_id = $1 AND duty = 'approve'",
        batch.row["id"],
    )
    assert signed[0]["signatures"] == signed[0]["people"] >= 1
    await _paid(ground, payday, batch)
    yield


@fault("a bank that answers wrongly in every way", steps=0)
async def bad_answers(ground: Ground) -> AsyncIterator[None]:
    """Cut, strange, contradicting, twice at one moment, in pieces and again: each transfer is booked once."""
    payday, batch = await _listed(ground)
    for step in (payday.approve, payday.fund, payday.export):
        await step(batch)
    ground.load.given(batch)
    await payday.send(batch)
    (order,) = batch.orders
    first, second, third = (transfer.reference for transfer in order.transfers)
    whole, booked = bank.answer(order, bank.Format.CAMT054, TODAY.date()), Counter[str]()

    cut = await _upload(ground, whole[: len(whole) // 2])
    assert cut["state"] == "rejected", cut
    strangers = tuple(replace(one, reference=one.reference[::-1]) for one in order.transfers)
    stranger = replace(order, reference=order.reference[::-1], transfers=strangers)
    for faults, of, expected in (
        (bank.NONE, stranger, {"unknown": 3}),
        (bank.Faults(other_amount={first: 1}, silent=frozenset({second, third})), order, {"amount_differs": 1}),
        (bank.Faults(rejected={second: "AC04"}, silent=frozenset({first, third})), order, {"matched": 1}),
        (bank.Faults(silent=frozenset({first})), order, {"matched": 2}),
        (bank.NONE, order, {"matched": 1, "duplicate": 2}),
    ):
        outcomes = await _applied_at_once(ground, of, faults)
        ground.said.append(str(outcomes))
        assert outcomes == expected, (faults, outcomes)
        booked.update(outcomes)
    assert (await _upload(ground, whole))["state"] == "applied"
    states = await ground.stack.sql(
        "disbursement", "SELECT state FROM attempt WHERE reference = ANY($1::text[])", [first, second, third]
    )
    assert {row["state"] for row in states} == {"settled"}
    yield


async def _listed(ground: Ground) -> tuple[Payday, Batch]:
    """A list of this fault's own, fixed."""
    payday = await Payday(ground.calls, ground.load.canaries).open(ELDERS)
    await payday.month()
    batch = await payday.draft()
    await payday.freeze(batch)
    return payday, batch


async def _paid(ground: Ground, payday: Payday, batch: Batch) -> None:
    for step in (payday.fund, payday.export):
        await step(batch)
    ground.load.given(batch)
    for step in (payday.send, payday.upload, payday.apply):
        await step(batch)


async def _upload(ground: Ground, content: bytes, form: str = "camt054") -> Row:
    return await ground.calls.do("recon_officer", "disbursement", f"/v1/result-files?format={form}", content=content)


async def _applied_at_once(ground: Ground, order: bank.Order, faults: bank.Faults) -> dict[str, int]:
    """What the bank says, applied by two at one moment: it is applied once; the outcomes of its rows."""
    kind, form = (bank.Format.PAIN002, "pain002") if faults.rejected else (bank.Format.CAMT054, "camt054")
    file = await _upload(ground, bank.answer(order, kind, TODAY.date(), faults), form)
    desk, path = ground.desk.office.desk("recon_officer_2", "disbursement"), f"/v1/result-files/{file['id']}:apply"

    async def apply() -> int:
        headers = {"Idempotency-Key": str(new_id()), "If-Match": f'"{file["version"]}"'}
        return (await desk.post(path, json={}, headers=headers)).status_code

    said = Counter(await asyncio.gather(apply(), apply()))
    assert said[httpx.codes.OK] <= 1, said
    assert set(said) <= {200, 409, 412, 503}, said
    done = await ground.calls.ask("recon_officer", "disbursement", f"/v1/result-files/{file['id']}")
    if done["state"] == "parsed":  # both were sent away
        done = await ground.calls.do("recon_officer_2", "disbursement", path, {}, version=file["version"])
    return dict(done["outcomes"])


async def _cross(ground: Ground, service: str) -> None:
    """Hold what every announcement needs, wait for one that waits there, and want what it wrote first."""
    url = ground.stack.system.postgres.url(service)
    holder, watcher = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        await holder.execute(PATIENT)
        async with holder.transaction():
            await holder.execute("LOCK TABLE outbox IN EXCLUSIVE MODE")
            held = await eventually(lambda: _held_by_a_waiting_one(ground, watcher), within=60, every=0.02)
            await holder.execute(f'LOCK TABLE "{held}" IN ACCESS EXCLUSIVE MODE')
    finally:
        await holder.close()
        await watcher.close()


async def _held_by_a_waiting_one(ground: Ground, watcher: asyncpg.Connection) -> str:
    """The table that a command (its key) or a reader (its inbox) wrote to before it came to wait for the outbox."""
    ground.load.check()
    found = await watcher.fetchval(
        "SELECT has.relation::regclass::text FROM pg_locks AS wants JOIN pg_locks AS has USING (pid)"
        " WHERE NOT wants.granted AND wants.relation = 'outbox'::regclass AND has.granted"
        " AND has.mode = 'RowExclusiveLock' AND has.relation IN ('idempotency'::regclass, 'inbox'::regclass) LIMIT 1"
    )
    return found or ""


async def _deadlocks(ground: Ground, service: str) -> int:
    await ground.stack.sql(service, "SELECT pg_stat_force_next_flush()")
    rows = await ground.stack.sql(service, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return int(rows[0][0])
