"""From an event to the telephone: planned once, sent once, explained."""

import asyncio
import json
from datetime import timedelta
from uuid import UUID

import pytest
from kit.auth.actor import Actor
from kit.errors import Unavailable
from kit.events.envelope import Event
from kit.ids import new_id, receipt
from notifications.channels.outlets import Accepted
from notifications.consumers import HANDLERS
from notifications.messages.sending import record, send
from stack.providers import Behaviour, Treatment

PHONE = "0812-3456-7890"
MAIL = "ahli.waris@contoh.id"


def claim(name="claim.filed", **changes):
    body = {
        "claim_id": str(new_id()), "programme_id": str(new_id()), "death_record_id": str(new_id()),
        "claimant_person_id": str(new_id()), "reasons": [], "missing": [], "late_upload": False,
        "region": "32.76.03", "state": name.rpartition(".")[2], "amount_idr": 2_000_000,
        **changes,
    }  # fmt: skip
    return body


async def filed(desk, **changes):
    """A claim was filed by somebody with a telephone; the claimant and the event."""
    body = claim(**changes)
    event = await desk.running.deliver("claim.filed", body, key=new_id())
    return body, event


async def reachable(desk, body, **contact):
    desk.registry.knows(UUID(body["claimant_person_id"]), **(contact or {"phone": PHONE}))


async def trace(desk, **which):
    async with desk.running.client("kabid") as officer:
        page = (await officer.get("/v1/messages", params=which)).json()
        return [(await officer.get(f"/v1/messages/{m['id']}/trace")).json() for m in page["items"]]


def steps(told):
    return [step["step"] for step in told["steps"]]


async def test_a_claimant_is_told_once_and_the_trace_says_why(desk):
    body, event = await filed(desk)
    await reachable(desk, body)
    await desk.work()
    assert [t.message.to for t in desk.provider.taken] == ["+6281234567890"]
    assert receipt("SK", UUID(body["claim_id"])) in desk.provider.taken[0].message.text
    await desk.receipts()
    whatsapp, sms = await trace(desk, event_id=str(event))
    assert (whatsapp["message"]["state"], whatsapp["message"]["reason"]) == ("skipped", "saluran_tidak_ada")
    assert sms["message"]["state"] == "delivered"
    assert steps(sms) == ["plan", "render", "queue", "claim", "accept", "report_delivered"]
    assert sms["attempts"][0]["address_masked"] == "+62***890"
    names = [e.name for e in await desk.running.outbox() if e.data["message_id"] == sms["message"]["id"]]
    assert names == [f"notification.{n}" for n in ("planned", "queued", "accepted", "delivered")]


async def test_the_same_event_again_plans_nothing_even_when_the_inbox_has_forgotten_it(desk):
    body, event = await filed(desk)
    await reachable(desk, body)
    await desk.work()
    key = (await desk.running.sql("SELECT key FROM inbox"))[0]["key"]
    await desk.running.deliver("claim.filed", body, key=key, id=event)
    await desk.running.sql("DELETE FROM inbox")
    await desk.running.sql("DELETE FROM stream_position")
    await desk.running.deliver("claim.filed", body, key=key, id=event, sequence=1)
    await desk.work()
    assert len(desk.provider.taken) == 1


async def test_a_replay_of_old_events_tells_nobody_anything(desk):
    body = claim()
    await reachable(desk, body)
    now = desk.running.clock.now()
    old = Event(
        id=new_id(), type="org.santun.disbursement.claim.filed.v1", source="/disbursement", key=new_id(), sequence=1,
        time=now - timedelta(days=90), data=body,
    )  # fmt: skip
    async with desk.running.runtime.begin(Actor.system("consumer"), origin="consumer") as uow:
        with uow.because(old):
            await HANDLERS[old.type].func(uow, [old])
    await desk.work()
    assert await desk.states() == {"expired": 1}
    assert desk.provider.calls == 0


async def test_a_person_without_a_contact_goes_to_the_printed_list(desk):
    body, _ = await filed(desk)
    await desk.work()
    async with desk.running.client("op_desa", regions=["32.76.03"]) as village:
        items = (await village.get("/v1/paper-messages")).json()["items"]
    assert [item["person_id"] for item in items] == [body["claimant_person_id"]]
    assert "SK-" in items[0]["body"]
    async with desk.running.client("op_desa", regions=["32.76.06"]) as elsewhere:
        assert (await elsewhere.get("/v1/paper-messages")).json()["items"] == []
    assert len(await desk.running.sql("SELECT FROM read_log WHERE purpose = 'paper-list'")) == 1


async def test_mail_is_the_way_when_there_is_no_telephone(desk):
    body, _ = await filed(desk)
    await reachable(desk, body, email=MAIL)
    await desk.work()
    await desk.work()
    assert [mail.to for mail in desk.post.mails] == [MAIL]
    assert desk.post.mails[0].body.startswith("Bapak/Ibu")


async def test_a_dead_number_is_suppressed_and_the_next_channel_is_tried(desk):
    body, event = await filed(desk)
    await reachable(desk, body, phone=PHONE, email=MAIL)
    desk.provider.behaviour = Behaviour(next=[Treatment.REFUSE_FOR_GOOD])
    await desk.work()
    await desk.work()
    assert len(desk.post.mails) == 1
    _again, _ = await filed(desk, claimant_person_id=body["claimant_person_id"])
    await desk.work()
    await desk.work()
    assert desk.provider.calls == 1
    assert len(desk.post.mails) == 2
    told = {t["message"]["channel"]: t["message"] for t in await trace(desk, event_id=str(event))}
    assert (told["sms"]["state"], told["sms"]["reason"]) == ("failed_permanent", "nomor_mati")


async def test_a_silent_provider_is_asked_and_the_telephone_rings_once(desk):
    body, _event = await filed(desk)
    await reachable(desk, body)
    desk.provider.behaviour = Behaviour(next=[Treatment.SILENT_AFTER_ACCEPTING], silence_seconds=0)
    await desk.work()
    assert (await desk.states())["unknown"] == 1
    desk.running.clock.advance(timedelta(minutes=16))
    await desk.work()
    assert (await desk.states())["accepted"] == 1
    assert len(desk.provider.taken) == desk.provider.calls == 1


async def test_a_call_that_never_arrived_is_sent_again_after_the_provider_said_so(desk):
    body, _ = await filed(desk)
    await reachable(desk, body)
    desk.provider.behaviour = Behaviour(next=[Treatment.SILENT_AND_LOST], silence_seconds=0)
    await desk.work()
    desk.running.clock.advance(timedelta(minutes=16))
    await desk.work("message-clock")
    assert (await desk.states())["retry_wait"] == 1
    desk.running.clock.advance(timedelta(minutes=2))
    await desk.work("message-clock", "send-messages")
    assert len(desk.provider.taken) == 1


async def test_a_worker_that_dies_between_attempt_and_call_leaves_an_unknown_outcome_and_no_second_text(desk):
    body, event = await filed(desk)
    await reachable(desk, body)
    await desk.work("prepare-messages")
    await desk.work("prepare-messages")

    async def killed(_outgoing):
        raise RuntimeError("the process is gone")

    sms = desk.running.runtime.wiring.outlets["sms"]
    real, sms.send = sms.send, killed
    with pytest.raises(RuntimeError):
        await desk.work("send-messages")
    sms.send = real
    assert (await desk.states())["sending"] == 1
    assert len(await desk.running.sql("SELECT FROM attempt WHERE outcome = 'pending'")) == 1

    async def nothing(_reference, _ref):
        return None

    sms.ask = nothing
    desk.running.clock.advance(timedelta(minutes=3))
    await desk.work("message-clock")
    assert (await desk.states())["unknown"] == 1
    desk.running.clock.advance(timedelta(minutes=16))
    await desk.work("message-clock", "send-messages")
    assert desk.provider.calls == 0
    assert (await desk.states())["dead_lettered"] == 1
    late = await desk.running.sql("SELECT id FROM message WHERE state = 'dead_lettered'")
    await record(desk.running.runtime, late[0]["id"], 1, Accepted("prov-late"))
    assert (await desk.states())["dead_lettered"] == 1
    assert "accept.ignored" in [s for t in await trace(desk, event_id=str(event)) for s in steps(t)]


async def test_a_busy_provider_is_left_alone_as_long_as_it_asks(desk):
    body, _ = await filed(desk)
    await reachable(desk, body)
    desk.provider.behaviour = Behaviour(next=[Treatment.REFUSE_FOR_NOW], retry_after_seconds=600)
    await desk.work()
    other, _ = await filed(desk)
    await reachable(desk, other, phone="0813-1111-2222")
    await desk.work()
    assert desk.provider.calls == 1
    assert await desk.states() == {"skipped": 2, "retry_wait": 1, "deferred": 1}
    desk.running.clock.advance(timedelta(minutes=11))
    await desk.work("message-clock", "send-messages")
    assert len(desk.provider.taken) == 2


async def test_a_decision_waits_for_the_morning_and_a_held_import_does_not(desk):
    desk.running.clock.set(desk.running.clock.now().replace(hour=15))  # 22.00 in Depok
    async with desk.running.client("dinsos_operator") as office:
        for role in ("kadis", "kabid"):
            entry = {"role": role, "region_code": "32.76", "mail": f"{role}@dinsos.example"}
            assert (await office.post("/v1/directory-entries", json=entry)).status_code == 201
    body, _ = await filed(desk)
    await reachable(desk, body)
    held = {
        "run_id": str(new_id()), "kind": "dtsen", "as_of": "2026-07-01", "rows_read": 100, "rows_ok": 90, "new": 80,
        "rows_rejected": 10, "gone": 70, "changed": 5, "brake": ["too_many_gone"], "state": "held",
    }  # fmt: skip
    await desk.running.deliver("import.held", held, key=new_id())
    await desk.work()
    assert desk.provider.calls == 0
    assert sorted(mail.to for mail in desk.post.mails) == ["kabid@dinsos.example", "kadis@dinsos.example"]
    assert (await desk.states())["deferred"] == 1
    desk.running.clock.advance(timedelta(hours=10))
    await desk.work("message-clock", "send-messages")
    assert len(desk.provider.taken) == 1


async def test_a_call_that_fails_leaves_the_others_their_end_and_is_told_as_what_it_was(desk, monkeypatch):
    for n in range(4):
        body, _ = await filed(desk)
        await reachable(desk, body, email=f"warga{n}@contoh.id")
    await desk.work("prepare-messages")
    taken, failed = desk.post.send, asyncio.Event()

    async def fails_first(outgoing):
        accepted = await taken(outgoing)
        if len(desk.post.mails) == 1:
            asyncio.get_running_loop().call_later(0.05, failed.set)
            raise ConnectionResetError
        await failed.wait()
        return accepted

    monkeypatch.setattr(desk.post, "send", fails_first)
    with pytest.raises(ConnectionResetError):
        await send(desk.running.runtime)
    assert (await desk.states())["accepted"] == 3


async def test_registry_that_does_not_answer_only_delays(desk):
    body, _ = await filed(desk)
    await reachable(desk, body)
    desk.registry.down = True
    with pytest.raises(Unavailable):
        await desk.work("prepare-messages")
    assert await desk.states() == {"planned": 1}
    desk.registry.down = False
    await desk.work()
    assert len(desk.provider.taken) == 1


async def test_contacts_are_asked_once_in_a_quarter_of_an_hour(desk):
    body, _ = await filed(desk)
    await reachable(desk, body)
    await desk.work()
    assert desk.registry.questions == 1


async def test_a_newer_message_replaces_an_older_one_that_was_not_sent(desk):
    desk.running.clock.set(desk.running.clock.now().replace(hour=15))
    body, key = claim(), new_id()
    await reachable(desk, body)
    incomplete = {**body, "missing": ["akta_kematian"], "cure_due": "2026-07-10T16:59:59Z", "state": "incomplete"}
    await desk.running.deliver("claim.incomplete", incomplete, key=key)
    await desk.work()
    await desk.running.deliver("claim.approved", {**body, "state": "approved"}, key=key)
    desk.running.clock.advance(timedelta(hours=10))
    await desk.work()
    await desk.work()
    texts = [t.message.text for t in desk.provider.taken]
    assert len(texts) == 1
    assert "disetujui" in texts[0]


async def test_no_address_stands_in_any_table_event_trace_or_log(desk, capfd):
    body, _ = await filed(desk)
    await reachable(desk, body, phone=PHONE, email=MAIL)
    desk.provider.behaviour = Behaviour(next=[Treatment.ACCEPT_THEN_FAIL])
    await desk.work()
    await desk.receipts()
    await desk.work()
    tables = await desk.running.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for table in tables:
        rows = await desk.running.sql(f'SELECT to_jsonb(t)::text AS row FROM "{table["tablename"]}" AS t')
        found = json.dumps([row["row"] for row in rows])
        assert "81234567890" not in found, table
        assert MAIL not in found, table
    logged = "".join(capfd.readouterr())
    assert "81234567890" not in logged
    assert MAIL not in logged


async def test_an_address_is_not_repeated_by_an_error(desk):
    async with desk.running.client("dinsos_operator") as office:
        bad = {"channel": "sms", "address": "0812-tidak-jelas", "reason": "permintaan_pemilik"}
        answer = await office.post("/v1/suppressions", json=bad)
    assert answer.status_code == 422
    assert "tidak-jelas" not in answer.text
