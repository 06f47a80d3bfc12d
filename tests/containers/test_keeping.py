"""What is kept survives: the server and the broker with all their disks, a change of passwords, a change of the image."""

import subprocess
import sys
import time

import httpx
import pytest
from containers.compose import Compose, eventually, officer
from containers.work import Told, once_everywhere, tell, under_way
from stack.places import ROOT, SERVICES


@pytest.fixture
def bearer(outside: httpx.Client):
    """Signs the village officer in once for a test."""
    return officer(outside, "op_desa")


def test_a_server_lost_with_its_disks_comes_back_from_its_backup(
    system: Compose, outside: httpx.Client, bearer, capsys: pytest.CaptureFixture[str]
):
    told = Told()
    system("--profile", "backup", "up", "--detach", "backup")
    eventually(lambda: "backup ended well" in system("logs", "backup"), within=300)
    for _ in range(20):
        assert tell(outside, bearer, told)
    # A minute passes: PostgreSQL hands its segment over by itself; here it is told to.
    segment = system.sql("postgres", "SELECT pg_walfile_name(pg_switch_wal())")[0][0]
    eventually(
        lambda: (system.sql("postgres", "SELECT last_archived_wal FROM pg_stat_archiver")[0][0] or "") >= segment
    )
    system("--profile", "backup", "down")
    system.lose("postgres", "kafka")
    begun = time.monotonic()
    system.script("restore.sh", "latest")
    with capsys.disabled():
        sys.stdout.write(f"\nrestored, announced again and verified within {time.monotonic() - begun:.0f} s\n")
    once_everywhere(system, told)
    assert tell(outside, bearer, told), told.bad
    once_everywhere(system, told)
    system.verify()


def test_the_broker_lost_with_its_disk_is_filled_again_from_the_outboxes(
    system: Compose, outside: httpx.Client, bearer
):
    told = Told()
    for _ in range(10):
        assert tell(outside, bearer, told)
    once_everywhere(system, told)
    system("stop")
    system("rm", "--force", "kafka")
    system.lose("kafka")
    system("up", "--wait", "postgres", "kafka", "topics", "keycloak")
    for service in SERVICES:
        system("run", "--rm", "--no-deps", "-T", f"{service}-relay", service, "replay", "--from", "2000-01-01")
    system("up", "--wait")
    once_everywhere(system, told)
    system.verify()


def test_passwords_are_changed_while_work_goes_on(system: Compose, outside: httpx.Client, bearer):
    with under_way(outside, bearer) as told:
        system.script("rotate.sh", "database", "registry")
        before = len(told.deaths)
        eventually(lambda: len(told.deaths) > before + 5)
    assert told.bad == []
    once_everywhere(system, told)


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


def test_the_next_release_comes_in_and_goes_back_while_work_goes_on(system: Compose, outside: httpx.Client, bearer):
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
    assert told.bad == []
    assert len(told.deaths) > 20
    added = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'of_the_next_release'"
    assert system.sql("registry", added) == [["1"]]
    once_everywhere(system, told)
    system.verify()
