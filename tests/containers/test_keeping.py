"""What is kept survives: the server and the broker with all their disks, a change of passwords, a change of the image."""

import base64
import json
import subprocess
import time
from collections.abc import Callable

import httpx
import pytest
from containers.compose import Compose, officer
from containers.work import Told, once_everywhere, tell, under_way
from stack.places import ROOT, SERVICES
from stack.processes import until

Bearer = Callable[[], dict[str, str]]


@pytest.fixture
def bearer(outside: httpx.Client) -> Bearer:
    """Signs the village officer in once for a test."""
    return officer(outside, "op_desa")


def test_a_server_lost_with_its_disks_comes_back_from_its_backup(
    system: Compose, outside: httpx.Client, bearer: Bearer, measured: Callable[[str], None]
):
    """What was archived is there once; what was answered within the last minute may be gone, and is done once when sent again."""
    kept, late = Told(), Told()
    system("--profile", "backup", "up", "--detach", "backup")
    until(lambda: "backup ended well" in system("logs", "backup"), within=300)
    for _ in range(20):
        assert tell(outside, bearer, kept)
    # A minute passes: PostgreSQL hands its segment over by itself; here it is told to.
    segment = system.sql("postgres", "SELECT pg_walfile_name(pg_switch_wal())")[0][0]
    until(lambda: (system.sql("postgres", "SELECT last_archived_wal FROM pg_stat_archiver")[0][0] or "") >= segment)
    archived = time.monotonic()
    for _ in range(20):
        assert tell(outside, bearer, late)
    lost = time.monotonic()
    system("--profile", "backup", "kill")
    system("--profile", "backup", "down")
    system.lose("postgres", "kafka")
    begun = time.monotonic()
    system.script("restore.sh", "latest")
    restored = time.monotonic() - begun
    once_everywhere(system, kept)
    system.verify()
    ids = ", ".join(f"'{id}'" for id in late.deaths.values())
    there = int(system.sql("registry", f"SELECT count(*) FROM death_record WHERE id IN ({ids})")[0][0])
    measured(
        f"drill: RTO {restored:.0f} s (restored, announced again, verified); RPO here {lost - archived:.0f} s, a minute at most: "
        f"{len(late.deaths) - there} of {len(late.deaths)} answered after the last archived segment were gone"
    )
    again = Told()
    for key in late.deaths:
        assert tell(outside, bearer, again, key=key), again.bad
    once_everywhere(system, kept)
    once_everywhere(system, again)
    system.verify()


def test_the_broker_lost_with_its_disk_is_filled_again_from_the_outboxes(
    system: Compose, outside: httpx.Client, bearer: Bearer
):
    told = Told()
    for _ in range(10):
        assert tell(outside, bearer, told)
    once_everywhere(system, told)
    system("stop")
    system("rm", "--force", "kafka")
    system.lose("kafka")
    system("up", "--wait", "postgres", "kafka", "keycloak")
    system("run", "--rm", "--no-deps", "-T", "topics")
    for service in SERVICES:
        system("run", "--rm", "--no-deps", "-T", f"{service}-relay", service, "replay", "--from", "2000-01-01")
    system("up", "--wait")
    once_everywhere(system, told)
    system.verify()


@pytest.mark.parametrize(
    ("kind", "name"),
    [("database", "registry"), ("fields", "registry"), ("cursors", "registry"), ("kafka", "registry"), ("client", "santun-registry"), ("tokens", "santun")],
)  # fmt: skip
def test_a_secret_is_given_anew_while_work_goes_on(
    system: Compose, outside: httpx.Client, bearer: Bearer, measured: Callable[[str], None], kind: str, name: str
):
    with under_way(outside, bearer) as told:
        system.script("rotate.sh", kind, name)
        before = len(told.deaths)
        until(lambda: len(told.deaths) > before + 5)
    measured(f"rotate.sh {kind}: {told}")
    assert told.bad == []
    once_everywhere(system, told)
    if kind == "fields":
        newest = "SELECT DISTINCT get_byte(subject_name_enc, 1) FROM death_record WHERE id = '{}'"
        keys = [
            system.sql("registry", newest.format(id))[0][0] for id in (*told.deaths.values(),)[:: len(told.deaths) - 1]
        ]
        assert keys == ["1", "2"]


def test_tokens_are_signed_with_the_newest_key_and_older_ones_stay_good(system: Compose, outside: httpx.Client, token):
    old = token("op_desa")
    system.script("rotate.sh", "tokens", "santun")
    new = token("op_desa")
    assert jws_head(old)["kid"] != jws_head(new)["kid"]
    for one in (old, new):
        assert outside.get("/registry/v1/deaths?limit=1", headers={"Authorization": f"Bearer {one}"}).status_code == 200


def jws_head(token: str) -> dict[str, str]:
    """The head of a token, where the name of its key stands."""
    head: dict[str, str] = json.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))
    return head


NEXT = """
FROM {image}
USER 0
RUN printf '%s\\n' 'from alembic import op' 'revision = "9999"' 'down_revision = "{head}"' 'branch_labels = depends_on = None' \
    'def upgrade(): op.execute("ALTER TABLE death_record ADD COLUMN of_the_next_release text")' 'def downgrade(): raise NotImplementedError' \
    > /app/services/registry/migrations/versions/9999_next.py
USER 10001:10001
LABEL org.opencontainers.image.version=next
"""
"""The release after this one: it adds a column."""


def test_the_next_release_comes_in_and_goes_back_while_work_goes_on(
    system: Compose, outside: httpx.Client, bearer: Bearer, measured: Callable[[str], None]
):
    image = "santun:0.1.0"
    head = max((ROOT / "services/registry/migrations/versions").glob("*.py")).name[:4]
    subprocess.run(
        ["docker", "build", "--quiet", "--tag", "santun:next", "-"], check=True, capture_output=True, text=True,
        input=NEXT.format(image=image, head=head),
    )  # fmt: skip
    with under_way(outside, bearer) as told:
        for words in (["santun:next"], ["--back", image]):
            system.script("upgrade.sh", *words)
            running = {
                system.inspect(name)["Config"]["Image"] for name in ("registry", "registry-relay", "grants-work")
            }
            assert running == {words[-1]}
    measured(f"upgrade and back: {told}")
    assert told.bad == []
    assert len(told.deaths) > 20
    added = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'of_the_next_release'"
    assert system.sql("registry", added) == [["1"]]
    once_everywhere(system, told)
    system.verify()
