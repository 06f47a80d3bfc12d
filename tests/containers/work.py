"""Work from outside: deaths are reported through the proxy, each under a key of its own, until told to stop."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
from containers.compose import Compose, meanwhile
from stack.processes import until

VILLAGE = "32.76.03.1001"
AGAIN = {409, 429, 503}


def report(number: str) -> dict[str, str]:
    """A form that reports the death of somebody whom the registry does not know by number."""
    return {
        "client_ref": number, "source": "rt", "died_on": "2023-03-01", "region_code": VILLAGE,
        "subject_name": f"Warga Contoh {number[:8]}",
    }  # fmt: skip


@dataclass
class Told:
    """What was answered: ids of deaths by their key, answers by status, and what no caller should see."""

    deaths: dict[str, str] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    longest: float = 0.0
    """Seconds from the first try of a command to its good answer, at most."""

    def __str__(self) -> str:
        """How the commands were answered, for a person."""
        again = ", ".join(
            f"{count} times {status or 'no connection'}"
            for status, count in sorted(self.answers.items())
            if status != 201
        )
        return (
            f"{len(self.deaths)} commands, each answered well at last; asked again after: {again or 'nothing'}; "
            f"{len(self.bad)} errors beyond that; the slowest took {self.longest:.1f} s"
        )


def tell(
    client: httpx.Client, bearer: Callable[[], dict[str, str]], told: Told, within: float = 120.0, key: str = ""
) -> str:
    """Report one death, again and again with the same key until it has its good answer; its id."""
    key, begun = key or str(uuid4()), time.monotonic()
    while time.monotonic() - begun < within:
        try:
            answer = client.post("/registry/v1/deaths", json=report(key), headers=bearer() | {"Idempotency-Key": key})
        except httpx.TransportError:
            told.answers[0] += 1
            time.sleep(0.1)
            continue
        told.answers[answer.status_code] += 1
        if answer.status_code == 201:
            told.deaths[key] = answer.json()["id"]
            told.longest = max(told.longest, time.monotonic() - begun)
            return told.deaths[key]
        if answer.status_code not in AGAIN:
            told.bad.append(f"{answer.status_code} {answer.text[:600]}")
            return ""
        time.sleep(0.1)
    told.bad.append(f"no good answer within {within:.0f} s")
    return ""


@contextmanager
def under_way(client: httpx.Client, bearer: Callable[[], dict[str, str]]) -> Iterator[Told]:
    """Reports while the block runs; at its end every command has its answer."""
    told = Told()
    with meanwhile(lambda: tell(client, bearer, told)):
        yield told


def once_everywhere(system: Compose, told: Told) -> None:
    """Every answered death is there once, announced once, and its reader has come past it."""
    ids = ", ".join(f"'{id}'" for id in told.deaths.values())
    there = system.sql("registry", f"SELECT count(*), count(DISTINCT client_ref) FROM death_record WHERE id IN ({ids})")
    assert there == [[str(len(told.deaths))] * 2]
    events = f"SELECT id FROM outbox WHERE key IN ({ids}) AND type LIKE '%death.reported%'"
    announced = [row[0] for row in system.sql("registry", events)]
    assert len(announced) == len(told.deaths)
    passed = f"SELECT count(*) FROM stream_position WHERE topic = 'registry.death' AND key IN ({ids})"
    until(lambda: system.sql("disbursement", passed) == [[str(len(told.deaths))]], within=240)
