"""Receipts come twice, late, in the wrong order, for calls nobody knows, and sometimes from somebody else."""

import json
from datetime import timedelta
from uuid import UUID

from kit.ids import new_id
from stack.providers import Behaviour, Treatment

PHONE = "0812-3456-7890"


async def sent(desk, treatment=Treatment.ACCEPT, **behaviour):
    """A claimant was texted; the message."""
    person = new_id()
    desk.registry.knows(person, phone=PHONE)
    desk.provider.behaviour = Behaviour(next=[treatment], **behaviour)
    body = {
        "claim_id": str(new_id()), "programme_id": str(new_id()), "death_record_id": str(new_id()),
        "claimant_person_id": str(person), "reasons": [], "missing": [], "late_upload": False, "region": "32.76.03",
        "state": "filed",
    }  # fmt: skip
    await desk.running.deliver("claim.filed", body, key=new_id())
    await desk.work()
    rows = await desk.running.sql("SELECT id, state FROM message WHERE channel = 'sms' ORDER BY id DESC LIMIT 1")
    return rows[0]


async def state_of(desk, message):
    return (await desk.running.sql("SELECT state FROM message WHERE id = $1", message["id"]))[0]["state"]


async def reports(desk):
    rows = await desk.running.sql("SELECT status, state, reason FROM provider_report ORDER BY id")
    return [(r["status"], r["state"], r["reason"]) for r in rows]


async def test_a_receipt_that_comes_twice_is_answered_twice_and_counts_once(desk):
    message = await sent(desk, receipts=2)
    assert await desk.receipts() == [202, 202]
    assert await state_of(desk, message) == "delivered"
    assert len(await desk.running.sql("SELECT FROM provider_post")) == 1
    assert len(await desk.running.outbox("notification.delivered")) == 1


async def test_a_failure_that_arrives_after_the_delivery_is_kept_and_ignored(desk):
    message = await sent(desk)
    ref = desk.provider.taken[0].id
    desk.provider.queue.append({"id": ref, "status": "failed", "error": "nomor_tidak_aktif"})
    await desk.receipts()
    assert await state_of(desk, message) == "delivered"
    assert await reports(desk) == [
        ("delivered", "applied", None),
        ("failed", "ignored", "langkah_tidak_berlaku"),
    ]


async def test_a_delivery_that_arrives_after_the_failure_lifts_the_message(desk):
    message = await sent(desk)
    ref = desk.provider.taken[0].id
    desk.provider.queue.append({"id": ref, "status": "failed", "error": "nomor_tidak_aktif"})
    await desk.receipts(newest_first=True)
    assert await state_of(desk, message) == "delivered"
    assert [state for _, state, _ in await reports(desk)] == ["applied", "applied"]


async def test_a_receipt_resolves_an_unknown_outcome(desk):
    message = await sent(desk, Treatment.SILENT_AFTER_ACCEPTING, silence_seconds=0)
    assert await state_of(desk, message) == "unknown"
    await desk.receipts()
    assert await state_of(desk, message) == "delivered"
    assert desk.provider.calls == 1


async def test_an_unknown_receipt_is_parked_for_three_days_and_then_lapses(desk):
    answer = await desk.receipt(json.dumps({"receipts": [{"id": "prov-nobody", "status": "delivered"}]}).encode())
    assert answer.status_code == 202
    await desk.work("provider-receipts")
    assert await reports(desk) == [("delivered", "parked", "rujukan_tidak_dikenal")]
    desk.running.clock.advance(timedelta(hours=73))
    await desk.work("provider-receipts")
    assert await reports(desk) == [("delivered", "lapsed", "rujukan_tidak_dikenal")]


async def test_a_receipt_that_overtakes_the_worker_is_matched_later(desk):
    person = new_id()
    desk.registry.knows(person, phone=PHONE)
    message = await sent(desk, Treatment.ACCEPT_WITHOUT_RECEIPT)
    attempt = (await desk.running.sql("SELECT id FROM attempt WHERE message_id = $1", message["id"]))[0]["id"]
    await desk.running.sql("UPDATE message SET state = 'sending' WHERE id = $1", message["id"])
    body = {"receipts": [{"id": "x", "reference": str(UUID(str(attempt))), "status": "delivered"}]}
    await desk.receipt(json.dumps(body).encode())
    await desk.work("provider-receipts")
    assert await reports(desk) == [("delivered", "parked", "panggilan_masih_berjalan")]
    await desk.running.sql("UPDATE message SET state = 'accepted' WHERE id = $1", message["id"])
    desk.running.clock.advance(timedelta(minutes=1))
    await desk.work("provider-receipts")
    assert await state_of(desk, message) == "delivered"


async def test_a_forged_receipt_is_refused_and_not_stored(desk):
    message = await sent(desk, Treatment.ACCEPT_WITHOUT_RECEIPT)
    body = json.dumps({"receipts": [{"id": desk.provider.taken[0].id, "status": "delivered"}]}).encode()
    assert (await desk.receipt(body, secret="guessed")).status_code == 401
    assert await desk.running.sql("SELECT FROM provider_post") == []
    assert await state_of(desk, message) == "accepted"


async def test_a_receipt_that_is_no_json_is_stored_answered_and_set_aside(desk):
    assert (await desk.receipt(b"\xff not json")).status_code == 202
    await desk.work("provider-receipts")
    assert (await desk.running.sql("SELECT state FROM provider_post"))[0]["state"] == "unreadable"


async def test_a_message_without_proof_ends_unconfirmed(desk):
    message = await sent(desk, Treatment.ACCEPT_WITHOUT_RECEIPT)
    desk.running.clock.advance(timedelta(hours=73))
    await desk.work("message-clock")
    assert await state_of(desk, message) == "unconfirmed"


async def test_the_raw_receipt_is_sealed(desk):
    await sent(desk)
    await desk.receipts()
    raw = (await desk.running.sql("SELECT body_enc FROM provider_post"))[0]["body_enc"]
    assert b"receipts" not in raw
