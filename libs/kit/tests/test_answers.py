"""Nothing is answered before it is committed, and a repeated command is answered as it was the first time."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from desk import DESK, Desk
from kit import clock
from kit.auth.actor import Actor
from kit.ids import new_id
from kit.runtime import Runtime
from kit.service import Processes
from kit.settings import _contracts
from kit.testing.issuer import Issuer
from sqlalchemy import text

KEY = {"idempotency-key": "key-0001"}
BODY = {"amount_idr": 10_000_000_000}


@pytest.fixture
async def desk(sample: Runtime, tmp_path: Path) -> Desk:
    """The desk on a real database."""
    issuer = Issuer(tmp_path)
    given = {"issuer": issuer.issuer, "jwks_url": issuer.jwks_url, "contracts_dir": _contracts()}
    sample.settings = sample.settings.model_copy(update=given | {"clock_file": tmp_path / "clock"})
    sample.clock = clock.Clock(file=tmp_path / "clock")
    return Desk(sample, issuer)


async def rows(desk: Desk, sql: str) -> Sequence[Any]:
    async with desk.runtime.begin(Actor.system("test")) as uow:
        found: Sequence[Any] = (await uow.execute(text(sql))).all()
        return found


async def count(desk: Desk, table: str) -> int:
    return int((await rows(desk, f"SELECT count(*) FROM {table}"))[0][0])


async def test_a_command_is_answered_once_and_repeated_with_the_same_bytes(desk: Desk) -> None:
    async with desk.client() as client:
        first = await client.post("/v1/things", json=BODY, headers=KEY)
        again = await client.post(
            "/v1/things", content=b'{ "amount_idr" : 10000000000 }', headers={**KEY, "content-type": "application/json"}
        )
    assert (first.status_code, first.headers["etag"]) == (201, '"1"')
    assert (again.status_code, again.content, again.headers["etag"]) == (201, first.content, '"1"')
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert (await count(desk, "thing"), await count(desk, "effect")) == (1, 1)


async def test_the_kept_answer_is_sealed(desk: Desk) -> None:
    async with desk.client() as client:
        answer = await client.post("/v1/things", json=BODY, headers=KEY)
    (kept,) = await rows(desk, "SELECT body, status FROM idempotency")
    assert kept.status == 201
    assert answer.json()["id"].encode() not in kept.body


async def test_fifty_equal_commands_at_once_have_one_effect_and_fifty_equal_answers(desk: Desk) -> None:
    async with desk.client() as client:
        answers = await asyncio.gather(*(client.post("/v1/things", json=BODY, headers=KEY) for _ in range(50)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert (await count(desk, "thing"), await count(desk, "effect")) == (1, 1)


async def test_a_key_belongs_to_one_command_of_one_caller(desk: Desk) -> None:
    async with desk.client() as client:
        await client.post("/v1/things", json=BODY, headers=KEY)
        other_body = await client.post("/v1/things", json={"amount_idr": 1}, headers=KEY)
        other_route = await client.post("/v1/things:late", json=BODY, headers=KEY)
    assert other_body.status_code == other_route.status_code == 422
    assert other_body.json()["type"].endswith("/idempotency-key-reused")
    for who in ({"sub": "another"}, {"azp": "portal"}):
        async with desk.client(**who) as client:
            answer = await client.post("/v1/things", json=BODY, headers=KEY)
            assert (answer.status_code, answer.headers.get("idempotency-replayed")) == (201, None)
    assert await count(desk, "thing") == 3


@pytest.mark.parametrize("key", ["short", "x" * 65, "with blank", "tab\tinside"])
async def test_a_key_of_another_form_is_400(desk: Desk, key: str) -> None:
    async with desk.client() as client:
        answer = await client.post("/v1/things", json=BODY, headers={"idempotency-key": key})
        without = await client.post("/v1/things", json=BODY)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "kunci_tidak_sesuai")
    assert (without.status_code, without.json()["type"].rpartition("/")[2]) == (400, "header-required")


async def test_a_request_that_cannot_be_read_does_not_use_up_its_key(desk: Desk) -> None:
    async with desk.client() as client:
        assert (await client.post("/v1/things", json={"amount_idr": 0}, headers=KEY)).status_code == 422
        assert (await client.post("/v1/things", json=BODY, headers=KEY)).status_code == 201


async def test_while_the_first_one_still_runs_the_second_is_told_to_come_back(desk: Desk) -> None:
    async with desk.runtime.begin(Actor.system("test")) as uow:
        await uow.execute(
            text("INSERT INTO idempotency (principal, key, route, fingerprint, expires_at)"
                 " VALUES ('tester|console', 'key-0001', '', '', now())")
        )  # fmt: skip
        async with desk.client() as client:
            answer = await client.post("/v1/things", json=BODY, headers=KEY)
    assert (answer.status_code, answer.headers["retry-after"]) == (409, "2")
    assert answer.json()["reasons"][0]["code"] == "permintaan_sedang_berjalan"
    assert await count(desk, "thing") == 0


@pytest.mark.parametrize(("path", "status"), [("/v1/things:late", 500), ("/v1/things:lost", 503)])
async def test_a_commit_that_fails_is_never_answered_as_a_success(desk: Desk, path: str, status: int) -> None:
    async with desk.client() as client:
        answer = await client.post(path, headers=KEY)
    assert answer.status_code == status
    assert "fine" not in answer.text
    assert (await count(desk, "effect"), await count(desk, "idempotency")) == (0, 0)


async def test_a_refusal_leaves_no_effect_but_is_kept_and_told_in_full(desk: Desk) -> None:
    id = new_id()
    async with desk.client() as client:
        answer = await client.post(f"/v1/things/{id}:refuse", headers=KEY)
    assert answer.status_code == 409
    reasons = {reason["code"]: reason for reason in answer.json()["reasons"]}
    assert set(reasons) == {"hidup", "not_in_the_catalogue"}
    assert reasons["hidup"]["next_id"]
    assert (await count(desk, "effect"), await count(desk, "idempotency")) == (0, 0)
    (kept,) = await rows(desk, "SELECT actor, outcome, command, reasons, after FROM audit")
    assert (kept.actor, kept.outcome, list(kept.reasons)) == ("tester", "refused", ["hidup", "not_in_the_catalogue"])
    assert kept.after == {"id": str(id)}


async def test_versions_guard_every_change(desk: Desk) -> None:
    async with desk.client() as client:
        made = (await client.post("/v1/things", json=BODY, headers=KEY)).json()
        address = f"/v1/things/{made['id']}:change"

        async def change(key: str, tag: str | None) -> tuple[int, str | None]:
            headers = {"idempotency-key": key * 8} | ({"if-match": tag} if tag is not None else {})
            answer = await client.post(address, json={"amount_idr": 5}, headers=headers)
            return answer.status_code, answer.headers.get("etag")

        assert await change("a", None) == (428, None)
        for number, tag in enumerate(("7", "*", 'W/"1"', '"1", "2"', '"0"', '"x"', '"01"', '"1', "")):
            assert await change(str(number), tag) == (400, None)
        assert await change("b", '"2"') == (412, '"1"')
        assert await change("c", '"1"') == (200, '"2"')
        assert await change("c", '"1"') == (200, '"2"'), (
            "a repeat is answered as the first time, although version 1 is gone"
        )
        assert await change("d", '"1"') == (412, '"2"')


async def test_an_unchanged_thing_is_304(desk: Desk) -> None:
    async with desk.client() as client:
        made = (await client.post("/v1/things", json=BODY, headers=KEY)).json()
        address = f"/v1/things/{made['id']}"
        for tag in ('"1"', 'W/"1"', '"9", "1"', "*"):
            answer = await client.get(address, headers={"if-none-match": tag})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1"')
        assert (await client.get(address, headers={"if-none-match": '"2"'})).json() == made
        assert (await client.get(f"/v1/things/{new_id()}")).status_code == 404
    async with desk.client(regions=["32.77"]) as elsewhere:
        assert (await elsewhere.get(address)).status_code == 404


async def test_pages_follow_each_other_without_gap_or_repeat(desk: Desk) -> None:
    async with desk.client() as client:
        for number in range(7):
            await client.post(
                "/v1/things", json={"amount_idr": 1 + number % 2}, headers={"idempotency-key": f"key-{number:04}"}
            )
        seen, cursor, pages = [], None, 0
        while pages == 0 or cursor:
            answer = (
                await client.get("/v1/things", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))
            ).json()
            seen += [item["id"] for item in answer["items"]]
            cursor, pages = answer["next"], pages + 1
        assert (len(seen), len(set(seen)), pages, seen) == (7, 7, 3, sorted(seen))
        assert (await client.get("/v1/things?limit=201")).status_code == 422
        assert (await client.get("/v1/things?limit=0")).status_code == 422


async def test_a_cursor_that_was_changed_or_carried_elsewhere_is_refused(desk: Desk) -> None:
    async with desk.client() as client:
        for number in range(3):
            await client.post("/v1/things", json={"amount_idr": 1}, headers={"idempotency-key": f"key-{number:04}"})
        cursor = (await client.get("/v1/things?limit=1&amount=1")).json()["next"]
        assert (await client.get(f"/v1/things?limit=2&amount=1&cursor={cursor}")).status_code == 200
        changed = cursor[:-3] + ("AAA" if cursor[-3:] != "AAA" else "BBB")
        for query in (f"limit=1&cursor={cursor}", f"limit=1&amount=2&cursor={cursor}", f"amount=1&cursor={changed}",
                      "amount=1&cursor=abc", "amount=1&cursor=é", "amount=1&cursor="):  # fmt: skip
            answer = await client.get(f"/v1/things?{query}")
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "kursor_salah")


async def test_readiness_names_every_part(desk: Desk) -> None:
    async with desk.client(token="") as client:
        answer = await client.get("/health/ready")
        figures = await client.get("/metrics")
    parts = answer.json()["parts"]
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert {"database", "outbox", "parked", "partitions", "keys"} <= set(parts)
    assert parts["partitions"]["days_ahead"] >= 13
    assert 'http_request_seconds_count{method="GET",route="/health/ready",status="200"}' in figures.text


async def test_a_process_that_was_told_to_stop_takes_no_new_work_and_finishes_what_it_has(desk: Desk) -> None:
    processes = Processes(DESK, desk.runtime)
    desk.app.state.processes = processes
    async with desk.client() as client:
        assert (await client.get("/health/ready")).status_code == 200
        processes.stop.set()
        answer = await client.get("/health/ready")
        assert (answer.status_code, answer.json()["status"]) == (503, "draining")
        in_hand = await client.post("/v1/things", json=BODY, headers=KEY)
        assert (in_hand.status_code, in_hand.headers["connection"]) == (201, "close")
        assert (await client.get("/health/live")).status_code == 200


async def test_a_relay_shows_how_it_is_and_nothing_else(desk: Desk) -> None:
    processes = Processes(DESK, desk.runtime)
    processes.parts = frozenset({"relay"})

    async def seen(path: str) -> httpx.Response:
        app = DESK.app(desk.runtime, api=False)
        app.state.processes = processes
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://relay.test") as client:
            return await client.get(path)

    ready = (await seen("/health/ready")).json()
    assert (ready["status"], ready["parts"]["relay"]["ok"], "keys" in ready["parts"]) == ("ok", True, False)
    assert [(await seen(path)).status_code for path in ("/v1/things", "/docs", "/openapi.json")] == [404, 404, 404]
    processes.relay.last_round -= 120
    late = (await seen("/health/ready")).json()
    assert (late["status"], late["parts"]["relay"]["ok"]) == ("degraded", False)


async def test_a_moved_clock_is_said(desk: Desk) -> None:
    clock.move(desk.runtime.settings.clock_file or Path(), datetime(2031, 1, 1, tzinfo=UTC))
    async with desk.client() as client:
        part = (await client.get("/health/ready")).json()["parts"]["clock"]
    assert part["movable"] is True
    assert part["moved_seconds"] > 86_400
