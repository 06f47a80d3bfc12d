"""What ops teams get: two commands, one door, the same tokens, topics that keep strangers out, and nothing lost."""

import asyncio
import base64
import json
import os
import secrets
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from containers.compose import FILE, Compose, healthy_again, officer, state
from containers.compose import machine as signed_in_as
from containers.work import once_everywhere, report, under_way
from stack.identities import directory
from stack.places import ROOT, SERVICES
from stack.processes import free_port, until

WORKING = [name + part for name in SERVICES for part in ("", "-relay", "-work")]


def claims(token: str) -> dict:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_all_runs_and_jobs_have_ended_well(system: Compose):
    found = system.containers()
    for name in (*WORKING, "postgres", "kafka", "keycloak", "proxy"):
        assert (found[name]["State"], found[name]["Health"]) == ("running", "healthy"), name
    for name in ("prepare", "databases", "topics", *(f"migrate-{service}" for service in SERVICES)):
        assert (found[name]["State"], found[name]["ExitCode"]) == ("exited", 0), name


def test_only_the_proxy_is_reached_from_outside(system: Compose):
    published = {
        name: one["Publishers"]
        for name, one in system.containers().items()
        if any(p["PublishedPort"] for p in one["Publishers"] or ())
    }
    assert set(published) == {"proxy"}


def test_a_service_runs_as_nobody_on_a_disk_it_cannot_write(system: Compose):
    for name in WORKING:
        found = system.inspect(name)
        assert found["Config"]["User"] == "10001:10001"
        assert found["HostConfig"]["ReadonlyRootfs"]
        assert found["HostConfig"]["Memory"] == 512 * 1024 * 1024


def test_the_image_says_what_stands_in_it(system: Compose):
    said = json.loads(system("exec", "-T", "registry", "python", "-c", "print(open('/app/sbom.cdx.json').read())"))
    listed = {f"{one['name'].lower().replace('_', '-')}=={one['version']}" for one in said["components"]}
    lock = (ROOT / "deploy" / "requirements.lock").read_text()
    wanted = {line.split(" ")[0] for line in lock.splitlines() if "==" in line and ";" not in line}
    assert said["bomFormat"] == "CycloneDX"
    assert wanted <= listed


def test_a_person_has_the_claims_that_the_development_issuer_gives(system: Compose, token):
    people = directory()
    for name, person in people.persons.items():
        signed = token(name)
        assert len(signed) <= 8 * 1024, name
        found, wanted = claims(signed), person.claims(people.console, person.scopes)
        assert found["iss"] == f"{system.origin}/auth/realms/santun"
        assert {*found["scope"].split()} == {*wanted.pop("scope").split()}, name
        assert {*found.pop("roles")} == {*wanted.pop("roles")}, name
        assert {*found.get("regions", ())} == {*wanted.pop("regions", ())}, name
        assert {key: found.get(key) for key in wanted} == wanted, name
        assert not {"name", "email", "preferred_username", "given_name", "family_name"} & set(found), name


def test_a_machine_has_the_claims_that_the_development_issuer_gives(system: Compose, outside: httpx.Client):
    for name, machine in directory().clients.items():
        if name == directory().console:
            continue
        found, wanted = (
            claims(signed_in_as(outside, name, system.secret(f"source/client_{name}"))),
            machine.claims(name, machine.scopes),
        )
        assert {*found["scope"].split()} == {*wanted["scope"].split()}, name
        assert {*found.get("regions", ())} == {*wanted.get("regions", ())}, name
        assert (found["sub"], found["azp"], found["aud"]) == (name, name, "santun")


def test_the_story_was_told_and_the_books_are_right(system: Compose, outside: httpx.Client, token):
    until(lambda: system.containers()["story"]["State"] == "exited", within=900)
    assert system.containers()["story"]["ExitCode"] == 0, system("logs", "--no-log-prefix", "story")
    bearer = {"Authorization": f"Bearer {token('inspektorat')}"}
    payments = outside.get("/disbursement/v1/payments?limit=5", headers=bearer)
    assert payments.status_code == 200, payments.text
    assert payments.json()["items"]
    system.verify()


@pytest.mark.parametrize("path", [f"/{name}/{page}" for name in SERVICES for page in ("health/ready", "metrics")] + ["/auth/admin/", "/auth/realms/master/"])  # fmt: skip
def test_what_the_offices_watch_may_see_the_world_may_not(outside: httpx.Client, path: str):
    assert outside.get(path).status_code == 404


@pytest.mark.parametrize("service", SERVICES)
def test_the_pages_of_a_service_are_whole_behind_the_proxy(system: Compose, outside: httpx.Client, service: str):
    page = outside.get(f"/{service}/docs")
    assert page.status_code == 200
    for asset in ("docs/init.js", "docs/swagger-ui.css", "docs/swagger-ui-bundle.js", "openapi.json"):
        assert outside.get(f"/{service}/{asset}").status_code == 200, asset
    assert outside.get(f"/{service}/openapi.json").json()["servers"] == [{"url": f"{system.origin}/{service}"}]
    assert page.headers["strict-transport-security"]
    assert page.headers["x-content-type-options"] == "nosniff"


def refused_by_the_door(answer: httpx.Response, status: int) -> None:
    """It is the refusal, in the form and in the languages of the services."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["title_id"]


def test_what_the_door_refuses_it_says_as_the_services_do(system: Compose, outside: httpx.Client):
    refused_by_the_door(outside.post("/registry/v1/deaths", content=b"x" * 3_000_000), 413)
    refused_by_the_door(outside.get("/registry/v1/deaths", headers={"X-Long": "x" * 70_000}), 431)
    refused_by_the_door(outside.get("/registry/v1/deaths", params={"cursor": "x" * 20_000}), 431)
    refused_by_the_door(outside.get("/nothing"), 404)
    refused_by_the_door(outside.get("/problem/invalid"), 404)
    refused_by_the_door(httpx.get(system.origin.replace("https", "http")), 400)


def test_a_caller_who_asks_too_fast_is_held_back_and_no_other(outside: httpx.Client):
    def asked(_: int) -> httpx.Response:
        return outside.get("/registry/docs/init.js", headers={"Authorization": "Bearer hasty"})

    with ThreadPoolExecutor(20) as callers:
        answers = list(callers.map(asked, range(500)))
    held = [answer for answer in answers if answer.status_code == httpx.codes.TOO_MANY_REQUESTS]
    assert held
    refused_by_the_door(held[0], 429)
    assert held[0].headers["retry-after"] == "1"
    assert outside.get("/registry/docs/init.js", headers={"Authorization": "Bearer other"}).status_code == 200


async def test_who_opens_many_connections_or_sends_nothing_is_let_go(system: Compose, authority: str):
    """A hundred at once from one address; a body that does not come is waited for twenty seconds."""
    url, trusted = httpx.URL(system.origin), ssl.create_default_context(cafile=authority)

    async def first_line(number: int) -> bytes:
        reader, writer = await asyncio.open_connection(url.host, url.port, ssl=trusted)
        head = f"POST /registry/v1/deaths HTTP/1.1\r\nHost: {url.host}\r\nAuthorization: Bearer {number}\r\nContent-Length: 9\r\n\r\n"
        writer.write(head.encode())
        try:
            return await reader.readline()
        finally:
            writer.close()

    async with asyncio.timeout(60):
        lines = Counter(await asyncio.gather(*(first_line(number) for number in range(110))))
    assert lines == {b"": 100, b"HTTP/1.1 429 Too Many Requests\r\n": 10}


def kafka(system: Compose, user: str, tool: str, *words: str, text: str = "") -> str:
    """What a tool of Kafka says to somebody who has this account."""
    login = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    lines = [
        "security.protocol=SASL_PLAINTEXT", "sasl.mechanism=SCRAM-SHA-512",
        "enable.idempotence=false",  # else a writer may be refused its number before it is refused the topic
        f'sasl.jaas.config={login} username="{user}" password="{system.secret(f"source/kafka_{user}")}";',
    ]  # fmt: skip
    system("exec", "-T", "kafka", "bash", "-c", f"cat > /tmp/{user}.properties", text="\n".join(lines))
    config = (
        "--command-config"
        if tool in {"kafka-topics.sh", "kafka-acls.sh"}
        else "--consumer.config"
        if "consumer" in tool
        else "--producer.config"
    )
    return system(
        "exec", "-T", "kafka", f"/opt/kafka/bin/{tool}", "--bootstrap-server", "kafka:9092", config, f"/tmp/{user}.properties",
        *words, check=False, text=text,
    )  # fmt: skip


def test_a_partner_reads_what_the_catalogue_allows_and_writes_nothing(system: Compose):
    read = (
        "kafka-console-consumer.sh",
        "--from-beginning",
        "--max-messages",
        "1",
        "--timeout-ms",
        "15000",
        "--group",
        "inspektorat.test",
    )
    assert "audit" in kafka(
        system, "inspektorat", *read, "--topic", "registry.audit", "--property", "print.headers=true"
    )
    assert "TopicAuthorizationException" in kafka(system, "inspektorat", *read, "--topic", "registry.death")
    assert "GroupAuthorizationException" in kafka(
        system, "inspektorat", *read[:-1], "santun.registry", "--topic", "registry.audit"
    )
    assert "TopicAuthorizationException" in kafka(
        system, "inspektorat", "kafka-console-producer.sh", "--topic", "registry.audit", text="x\n"
    )


async def test_a_partner_reads_from_outside_over_tls(system: Compose, authority: str, tmp_path):
    port = free_port()
    files = (FILE, FILE.with_name("compose.partners.yml"))
    opened = Compose(system.project, {**system.given, "SANTUN_KAFKA_PORT": str(port)}, tmp_path, files)
    opened("up", "--detach", "--wait", "--no-deps", "kafka")
    try:
        account = {
            "bootstrap_servers": f"localhost:{port}", "sasl_mechanism": "SCRAM-SHA-512", "sasl_plain_username": "inspektorat",
            "sasl_plain_password": system.secret("source/kafka_inspektorat"), "auto_offset_reset": "earliest",
        }  # fmt: skip
        trusted = ssl.create_default_context(cafile=authority)
        async with AIOKafkaConsumer(
            "registry.audit",
            **account,
            group_id="inspektorat.outside",
            security_protocol="SASL_SSL",
            ssl_context=trusted,
        ) as consumer:
            record = await asyncio.wait_for(consumer.getone(), 60)
            assert dict(record.headers)["ce_source"] == b"/registry"
        with pytest.raises(KafkaError):
            await AIOKafkaConsumer(**account, security_protocol="SASL_PLAINTEXT").start()
    finally:
        system("up", "--detach", "--wait", "--no-deps", "kafka")


def test_a_service_cannot_write_what_is_another_s(system: Compose):
    said = kafka(system, "grants", "kafka-console-producer.sh", "--topic", "disbursement.payment", text="x\n")
    assert "TopicAuthorizationException" in said


def test_nobody_comes_without_an_account(system: Compose):
    said = system(
        "exec",
        "-T",
        "kafka",
        "timeout",
        "20",
        "/opt/kafka/bin/kafka-topics.sh",
        "--bootstrap-server",
        "kafka:9092",
        "--list",
        check=False,
    )
    assert "registry." not in said


def test_the_application_role_changes_no_table(system: Compose):
    url = system.secret("registry/registry_database_url")
    said = system("exec", "-T", "postgres", "psql", "-X", url, "-c", "CREATE TABLE mine (x int)", check=False)
    assert "permission denied" in said
    said = system(
        "exec", "-T", "postgres", "psql", "-X", url.rsplit("/", 1)[0] + "/grants", "-c", "SELECT 1", check=False
    )
    assert "permission denied for database" in said


def test_what_is_missing_or_wrong_is_said_all_at_once(system: Compose, tmp_path):
    wrong = {
        "SANTUN_PROFILE": "production", "SANTUN_HOST": "https://x", "DISBURSEMENT_DISTRIBUTION_ACCOUNT": "12",
        "NOTIFICATIONS_SMTP_PORT": "many", "NOTIFICATIONS_SMTP_SENDER": "pemberitahuan@dinsos.example",
    }  # fmt: skip
    other = Compose("santun-wrong", wrong, tmp_path)
    try:
        said = other("run", "--rm", "-T", "prepare", check=False)
    finally:
        other("down", "--volumes")
    for name in (
        "SANTUN_HOST", "DISBURSEMENT_DISTRIBUTION_ACCOUNT", "NOTIFICATIONS_SMTP_PORT", "CLOCK_FILE", "DISBURSEMENT_OFFICE_NAME",
        "NOTIFICATIONS_OFFICE_NAME", "NOTIFICATIONS_SMTP_HOST", "NOTIFICATIONS_SMTP_SENDER",
    ):  # fmt: skip
        assert name in said, said
    assert "Traceback" not in said


def santun(system: Compose, *words: str) -> subprocess.CompletedProcess[str]:
    """The command of the clone, told which project it is to look at."""
    env = {**os.environ, "COMPOSE_PROJECT_NAME": system.project, "COMPOSE_ENV_FILES": str(system.env)}
    return subprocess.run(
        [sys.executable, "-m", "stack", *words, "--containers"], check=False, capture_output=True, text=True, env=env
    )


def test_the_doctor_says_what_stands_still_and_the_next_step(system: Compose):
    system("stop", "grants-relay")
    said = santun(system, "doctor")
    system("up", "--wait", "--no-deps", "grants-relay")
    lines = said.stdout.splitlines()
    assert said.returncode == 1, said.stdout + said.stderr
    (at,) = (n for n, line in enumerate(lines) if line.startswith(f"WRONG  {system.project}-grants-relay-1: Exited"))
    assert lines[at + 1].strip() == "See: docker compose logs --tail 50 grants-relay"
    assert "ok     prepare: ended well" in lines
    assert f"ok     {system.project}-registry-work-1: nothing late, nothing stuck" in lines
    # The story leaves a returned payment to be mended: the doctor knows.
    assert any("returned payments were not mended in time" in line for line in lines)


def test_every_process_is_watched_and_an_alarm_rings(system: Compose):
    wanted = {("santun", f"{name}:8000") for name in WORKING} | {
        ("keycloak", "keycloak:9000"), ("certificate", "proxy:9101")
    }  # fmt: skip

    def asked(path: str) -> Any:
        code = f"import urllib.request as u; print(u.urlopen('http://prometheus:9090/api/v1/{path}').read().decode())"
        return json.loads(system("exec", "-T", "registry", "python", "-c", code))["data"]

    def seen() -> bool:
        up = [one["labels"] for one in asked("targets?state=active")["activeTargets"] if one["health"] == "up"]
        return wanted <= {(one["job"], one["instance"]) for one in up}

    def ringing() -> set[str]:
        return {one["labels"]["alertname"] for one in asked("alerts")["alerts"] if one["state"] == "firing"}

    system("--profile", "observability", "up", "--detach", "--wait", "prometheus")
    try:
        until(seen)
        until(lambda: "RepairsOverdue" in ringing())  # the story leaves a returned payment to be mended
        assert {rule["health"] for group in asked("rules")["groups"] for rule in group["rules"]} == {"ok"}
    finally:
        system("--profile", "observability", "rm", "--stop", "--force", "prometheus")


def test_one_trace_tells_a_story_across_containers(system: Compose, outside: httpx.Client, token):
    trace = secrets.token_hex(16)
    headers = {"Authorization": f"Bearer {token('op_desa')}", "traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"}
    answer = outside.post("/registry/v1/deaths", json=report(trace), headers={**headers, "Idempotency-Key": trace})
    assert answer.status_code == 201, answer.text
    said = santun(system, "logs", "--trace", trace)
    assert {line.split()[0] for line in said.stdout.splitlines()} >= {"proxy", "registry"}, said.stdout + said.stderr


@pytest.mark.parametrize("service", ["registry", "registry-relay", "registry-work", "kafka", "postgres", "proxy"])
def test_what_is_killed_under_work_comes_back_and_nothing_is_lost(
    system: Compose, outside: httpx.Client, measured: Callable[[str], None], service: str
):
    id = system.containers()[service]["ID"]
    pid = state(id)["Pid"]
    with under_way(outside, officer(outside, "op_desa")) as told:
        subprocess.run(["kill", "-9", str(pid)], check=True)
        until(lambda: healthy_again(id, pid))
    measured(f"{service} killed: {told}")
    assert told.bad == []
    once_everywhere(system, told)
    system.verify()
