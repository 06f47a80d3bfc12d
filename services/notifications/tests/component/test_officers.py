"""What officers may see and do with messages: region, role, version, idempotency, unknown fields."""

from datetime import timedelta
from uuid import UUID

import pytest
from kit.ids import new_id
from notifications.figures import FIGURES
from stack.providers import Behaviour, Treatment


async def planned(desk, region="32.76.03", name="claim.filed", **changes):
    person = new_id()
    desk.registry.knows(person, phone="0812-3456-7890")
    body = {
        "claim_id": str(new_id()), "programme_id": str(new_id()), "death_record_id": str(new_id()), "reasons": [],
        "claimant_person_id": str(person), "missing": [], "late_upload": False, "region": region, "state": "filed",
        **changes,
    }  # fmt: skip
    await desk.running.deliver(name, body, key=new_id())
    return body


async def one(desk, **where):
    async with desk.running.client("kabid") as officer:
        return (await officer.get("/v1/messages", params=where)).json()["items"]


async def post(desk, who, message, command, body, *, version=None, regions=None, key=None):
    headers = {"If-Match": f'"{version or message["version"]}"'} | ({"Idempotency-Key": key} if key else {})
    async with desk.running.client(who, regions=regions) as officer:
        return await officer.post(f"/v1/messages/{message['id']}:{command}", json=body, headers=headers)


async def test_a_planned_message_is_cancelled_and_a_sent_one_is_not(desk):
    await planned(desk)
    message = (await one(desk))[0]
    answer = await post(desk, "kabid", message, "cancel", {"reason": "salah_kirim"})
    assert (answer.status_code, answer.json()["state"], answer.headers["etag"]) == (200, "cancelled", '"2"')
    await planned(desk)
    await desk.work()
    sent = (await one(desk, state="accepted"))[0]
    refused = await post(desk, "kabid", sent, "cancel", {"reason": "salah_kirim"})
    assert refused.status_code == 409
    assert refused.json()["reasons"][0]["code"] == "langkah_tidak_berlaku"


async def test_a_stale_version_changes_nothing(desk):
    await planned(desk)
    message = (await one(desk))[0]
    assert (await post(desk, "kabid", message, "cancel", {"reason": "x"}, version=7)).status_code == 412
    assert (await one(desk))[0]["state"] == "planned"


async def test_the_same_key_answers_the_same_and_another_body_is_refused(desk):
    await planned(desk)
    message = (await one(desk))[0]
    first = await post(desk, "kabid", message, "cancel", {"reason": "salah"}, key="a-key-of-mine-1")
    again = await post(desk, "kabid", message, "cancel", {"reason": "salah"}, key="a-key-of-mine-1")
    other = await post(desk, "kabid", message, "cancel", {"reason": "lain"}, key="a-key-of-mine-1")
    assert first.json() == again.json()
    assert other.status_code == 422


async def test_unknown_fields_are_refused(desk):
    await planned(desk)
    message = (await one(desk))[0]
    answer = await post(desk, "kabid", message, "cancel", {"reason": "x", "force": True})
    assert answer.status_code == 422


@pytest.mark.parametrize("command", ["cancel", "redrive"])
@pytest.mark.parametrize("who", ["op_desa", "verifikator", "camat", "ops"])
async def test_who_lacks_the_scope_does_nothing(desk, who, command):
    await planned(desk)
    message = (await one(desk))[0]
    assert (await post(desk, who, message, command, {"reason": "x"})).status_code == 403


async def test_another_region_does_not_exist(desk):
    await planned(desk)
    message = (await one(desk))[0]
    async with desk.running.client("kabid", regions=["32.71"]) as stranger:
        assert (await stranger.get("/v1/messages")).json()["items"] == []
        assert (await stranger.get(f"/v1/messages/{message['id']}")).status_code == 404
        assert (await stranger.get(f"/v1/messages/{message['id']}/trace")).status_code == 404
    assert (await post(desk, "kabid", message, "cancel", {"reason": "x"}, regions=["32.71"])).status_code == 404


async def unwritten(desk) -> int:
    """What the alarm MessagesUnwritten asks, at the time of the desk."""
    (figure,) = (figure for figure in FIGURES if figure.name == "messages_unwritten")
    (row,) = await desk.running.sql(
        figure.sql.replace("now()", f"'{desk.running.clock.now().isoformat()}'::timestamptz")
    )
    return row["count"]


async def test_an_unwritten_letter_is_sent_after_the_cause_was_mended(desk):
    await planned(desk, name="claim.rejected", reasons=["kode_yang_belum_ada"], state="rejected")
    await desk.work()
    failed = (await one(desk))[0]
    assert (failed["state"], failed["reason"]) == ("render_failed", "alasan_tanpa_teks")
    assert await unwritten(desk) == 1
    desk.running.runtime.wiring.library._reasons["kode_yang_belum_ada"] = {"id": "Sudah ada.", "en": "There now."}
    answer = await post(desk, "kabid", failed, "redrive", {"reason": "katalog_dilengkapi"})
    assert answer.json()["state"] == "planned"
    assert await unwritten(desk) == 0
    await desk.work()
    await desk.work()
    assert "Sudah ada." in desk.provider.taken[0].message.text


async def test_a_dead_letter_is_sent_again_under_its_own_id(desk):
    desk.provider.behaviour = Behaviour(always=Treatment.UNAVAILABLE)
    await planned(desk)
    for _ in range(28):
        await desk.work()
        desk.running.clock.advance(timedelta(hours=5))
    dead = (await one(desk, state="dead_lettered"))[0]
    assert dead["attempts"] == 6
    desk.provider.behaviour = Behaviour()
    assert (await post(desk, "kabid", dead, "redrive", {"reason": "penyedia_pulih"})).status_code == 200
    desk.running.clock.set(desk.running.clock.now().replace(hour=5))
    await desk.work()
    assert (await one(desk, state="accepted"))[0]["id"] == dead["id"]
    rows = await desk.running.sql("SELECT command FROM audit WHERE command = 'redrive'")
    assert len(rows) == 1


async def test_counts_add_up_to_what_was_planned(desk):
    for _ in range(3):
        await planned(desk)
    await desk.work()
    async with desk.running.client("kabid") as officer:
        since = (desk.running.clock.now() - timedelta(days=1)).isoformat()
        counts = (await officer.get("/v1/messages/counts", params={"since": since})).json()
    assert sum(c["n"] for c in counts) == len(await desk.running.sql("SELECT FROM message"))
    assert {(c["state"], c["n"]) for c in counts} == {("skipped", 3), ("accepted", 3)}


async def test_messages_are_found_by_what_they_are_about(desk):
    await planned(desk)
    subject = (await desk.running.sql("SELECT subject_id FROM message"))[0]["subject_id"]
    assert len(await one(desk, subject_id=str(UUID(str(subject))))) == 1
    assert await one(desk, subject_id=str(new_id())) == []


async def test_a_suppressed_address_is_not_written_to_until_it_is_lifted(desk):
    async with desk.running.client("dinsos_operator") as office:
        body = {"channel": "sms", "address": "+62 812 3456 7890", "reason": "permintaan_pemilik"}
        made = await office.post("/v1/suppressions", json=body)
        assert made.status_code == 201
        assert made.json()["address_masked"] == "+62***890"
        assert (await office.post("/v1/suppressions", json=body)).status_code == 409
        await planned(desk)
        await desk.work()
        assert desk.provider.calls == 0
        lift = f"/v1/suppressions/{made.json()['id']}:lift"
        lifted = await office.post(lift, json={"reason": "salah_catat"}, headers={"If-Match": '"1"'})
        assert lifted.status_code == 200
    await planned(desk)
    await desk.work()
    await desk.work()
    assert desk.provider.calls == 1


async def test_the_directory_shows_no_address_and_belongs_to_its_region(desk):
    entry = {"role": "kadis", "region_code": "32.76", "mail": "Kadis@Dinsos.example", "client_ref": "kadis-1"}
    async with desk.running.client("dinsos_operator") as office:
        made = (await office.post("/v1/directory-entries", json=entry)).json()
        assert made["address_masked"] == "k***@***.example"
        outside = await office.post("/v1/directory-entries", json={**entry, "region_code": "32.71"})
        assert outside.status_code == 404
        found = (await office.get("/v1/directory-entries", params={"client_ref": "kadis-1"})).json()["items"]
        assert [f["id"] for f in found] == [made["id"]]
        url = f"/v1/directory-entries/{made['id']}:retire"
        assert (await office.post(url, headers={"If-Match": '"1"'})).json()["retired_at"]
    stored = await desk.running.sql("SELECT to_jsonb(d)::text AS t FROM directory_entry d")
    assert "adis@" not in stored[0]["t"]


async def test_a_text_can_be_tried_before_it_is_used(desk):
    async with desk.running.client("dinsos_operator") as office:
        facts = {"claim_id": str(new_id()), "programme": "santunan kematian"}
        letters = (await office.post("/v1/templates/claim_filed:preview", json={"facts": facts})).json()
        assert {(x["language"], x["channel"]) for x in letters} == {
            (x, c) for x in ("id", "en") for c in ("sms", "email", "whatsapp")
        }
        gap = await office.post("/v1/templates/claim_filed:preview", json={"facts": {}})
        assert (gap.status_code, gap.json()["errors"][0]["code"]) == (422, "templat_kurang_isi")
        assert (await office.get("/v1/templates/nothing")).status_code == 404
