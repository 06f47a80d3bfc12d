"""Two of everything: whatever single container dies, nothing is lost and callers are answered again within ten seconds."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from containers.compose import FILE, Compose, healthy_again, officer, signed_in, started, state
from containers.work import once_everywhere, under_way
from stack.processes import until

ANSWERED_AGAIN_SECONDS = 10.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """The cluster without its story."""
    files = (FILE, FILE.with_name("compose.cluster.yml"))
    with started("santun-cluster", tmp_path_factory.mktemp("cluster"), {"COMPOSE_PROFILES": ""}, files) as compose:
        yield compose


def test_who_leaves_is_out_at_both_copies_of_the_identity_provider(cluster: Compose, tmp_path: Path):
    with httpx.Client(base_url=cluster.origin, verify=cluster.authority(tmp_path), timeout=60) as client:
        for _ in range(6):  # the door asks them in turn, so both know the account
            signed_in(client, "camat")
        cluster.script("person.sh", "close", "camat")
        for _ in range(6):
            with pytest.raises(AssertionError, match="Account disabled"):
                signed_in(client, "camat")


def test_any_one_container_dies_and_nothing_is_lost(cluster: Compose, tmp_path: Path, measured: Callable[[str], None]):
    slow: dict[str, float] = {}
    with httpx.Client(base_url=cluster.origin, verify=cluster.authority(tmp_path), timeout=60) as client:
        bearer = officer(client, "op_desa")
        client.timeout = httpx.Timeout(5)  # a caller asks another copy after five seconds
        with under_way(client, bearer) as told:
            for service, id in sorted((one["Service"], one["ID"]) for one in cluster.listed()):
                pid = state(id)["Pid"]
                told.longest, before = 0.0, len(told.deaths)
                subprocess.run(["kill", "-9", str(pid)], check=True)
                until(lambda: len(told.deaths) >= before + 30)  # noqa: B023 - called at once
                slow[service] = max(slow.get(service, 0.0), told.longest)
                until(lambda: healthy_again(id, pid), within=300)  # noqa: B023 - called at once
    measured(f"cluster: {told}")
    for service, seconds in sorted(slow.items(), key=lambda one: -one[1]):
        measured(f"cluster: {service} killed, answered again after {seconds:.1f} s at most")
    assert told.bad == []
    once_everywhere(cluster, told)
    cluster.verify()
    assert max(slow.values()) <= ANSWERED_AGAIN_SECONDS, slow
