"""What happened, as a person reads it: events from Kafka with the catalogue's sentence for each.

`santun up`, `santun story` and `santun events tail` come in here. Events hold no personal data, so neither does this.
"""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import yaml
from kit.events.envelope import BrokenEnvelope, Event, decode
from kit.money import format_id

from stack.kafka import partitions
from stack.places import CONTRACTS

OFFICE: Final = ZoneInfo("Asia/Jakarta")
_MOST_OF_A_PARTITION: Final = 1_000
_ONE_MOMENT_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One event on its topic: `at` is business time, `real` the broker's clock, by which entries are ordered."""

    at: datetime
    real: int
    topic: str
    key: str
    name: str
    sequence: int
    sentence: str
    trace: str = ""


def language() -> str:
    """`id` or `en`: SANTUN_LANG, else the terminal's own language, else English."""
    wanted = os.environ.get("SANTUN_LANG") or os.environ.get("LANG", "")
    return "id" if wanted.lower().startswith("id") else "en"


@lru_cache(maxsize=1)
def _topics() -> Sequence[Mapping[str, Any]]:
    catalogue = yaml.load((CONTRACTS / "catalog.yaml").read_text(), Loader=yaml.CSafeLoader)
    return list(catalogue["topics"])


@lru_cache(maxsize=1)
def _catalogue() -> Mapping[str, Mapping[str, Any]]:
    """The catalogue's entry of every wire type."""
    return {
        f"org.santun.{topic['owner']}.{event['name']}.v{event.get('version', 1)}": event
        for topic in _topics()
        for event in topic["events"]
    }


def sentence(event: Event, lang: str | None = None) -> str:
    """The catalogue's sentence of an event with its blanks filled; the bare type for one the catalogue lacks."""
    known = _catalogue().get(event.type)
    if known is None:
        return event.type
    pattern = known.get(f"sentence_{lang or language()}") or known.get("sentence_en") or known["name"]
    return str(pattern).format_map(_Blanks(event.data))


class _Blanks(dict[str, str]):
    """The values of the blanks: money in rupiah, lists joined, a dash for what is not there."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__({name: _shown(name, value) for name, value in data.items()})

    def __missing__(self, name: str) -> str:
        return "-"


def _shown(name: str, value: object) -> str:
    if name.endswith("_idr") and isinstance(value, int):
        return format_id(value)
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return "-" if value is None else str(value)


def _entry(record: Any) -> Entry | None:
    try:
        event = decode(record.topic, record.key, record.value, record.headers)
    except BrokenEnvelope:
        return None
    known = _catalogue().get(event.type)
    return Entry(
        at=event.time.astimezone(OFFICE),
        real=record.timestamp,
        topic=record.topic,
        key=str(event.key),
        name=str(known["name"]) if known else event.type,
        sequence=event.sequence,
        sentence=sentence(event),
        trace=event.traceparent.split("-")[1] if event.traceparent.count("-") >= 2 else "",
    )


def topic_names() -> list[str]:
    """All topics of the catalogue."""
    return [str(topic["topic"]) for topic in _topics()]


@dataclass(frozen=True, slots=True)
class Fold:
    """An event and how many of its kind came in the same moment: a list of thousands is one line."""

    first: Entry
    count: int


async def recent(bootstrap: str, topics: Sequence[str], limit: int = 200) -> list[Entry]:
    """The newest events of these topics in the order they were published, at most `limit`."""
    entries = [entry async for entry in _read(bootstrap, topics, limit, follow=False)]
    return _ordered(entries)[-limit:]


async def history(bootstrap: str, topics: Sequence[str], limit: int = 200) -> list[Fold]:
    """What happened, folded: events of one kind that follow each other within seconds are one line; newest last.

    Reads at most 1,000 events of each partition, so of a very large import the count is of those.
    """
    entries = [entry async for entry in _read(bootstrap, topics, _MOST_OF_A_PARTITION, follow=False)]
    return fold(_ordered(entries))[-limit:]


def fold(entries: Sequence[Entry]) -> list[Fold]:
    """Fold events of one kind whose distance in published time is at most five seconds; each at its first place."""
    places: dict[tuple[str, str], int] = {}
    last: dict[tuple[str, str], int] = {}
    folds: list[Fold] = []
    for entry in entries:
        kind = (entry.topic, entry.name)
        if kind in places and entry.real - last[kind] <= _ONE_MOMENT_MS:
            known = folds[places[kind]]
            folds[places[kind]] = Fold(known.first, known.count + 1)
        else:
            places[kind] = len(folds)
            folds.append(Fold(entry, 1))
        last[kind] = entry.real
    return folds


def follow(bootstrap: str, topics: Sequence[str]) -> AsyncIterator[Entry]:
    """Every new event until the caller stops."""
    return _read(bootstrap, topics, 0, follow=True)


def _ordered(entries: Sequence[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (entry.real, entry.topic, entry.sequence))


async def _read(bootstrap: str, topics: Sequence[str], last: int, *, follow: bool) -> AsyncIterator[Entry]:
    from aiokafka import AIOKafkaConsumer, TopicPartition

    kafka = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, isolation_level="read_committed")
    await kafka.start()
    try:
        known = await partitions(bootstrap, topics)
        places = [TopicPartition(topic, part) for topic, parts in known.items() for part in parts]
        if not places:
            return
        kafka.assign(places)
        ends, begins = await kafka.end_offsets(places), await kafka.beginning_offsets(places)
        for place in places:
            kafka.seek(place, max(begins[place], ends[place] - last))
        waiting = {place for place in places if last and ends[place] > begins[place]}
        while follow or waiting:
            batches = await kafka.getmany(timeout_ms=500)
            for place, records in batches.items():
                for record in records:
                    entry = _entry(record)
                    if entry is not None:
                        yield entry
                if records[-1].offset + 1 >= ends[place]:
                    waiting.discard(place)
    finally:
        await kafka.stop()
