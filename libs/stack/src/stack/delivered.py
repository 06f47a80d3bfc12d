"""The invariants between services: what one announced, every reader has taken in, once (I3, I4).

Only `santun verify` and the tests of faults come in here; they look from outside, past the services.
"""

from collections.abc import Mapping, Sequence

import asyncpg

from stack.members import member

Urls = Mapping[str, str]
"""Connection URL per service, of a role that may read its database."""


async def missing(urls: Urls) -> list[str]:
    """What was announced and not yet taken in, one sentence per reader and event type; empty when all arrived."""
    faults: list[str] = []
    inboxes = {service: await _ids(url, "SELECT event_id FROM inbox") for service, url in urls.items()}
    for producer, url in urls.items():
        for reader in urls:
            wanted = [wire_type for wire_type in member(reader).handlers if f".{producer}." in wire_type]
            if not wanted:
                continue
            told = await _ids(url, "SELECT id FROM outbox WHERE type = ANY($1::text[])", wanted)
            late = told - inboxes[reader] - await _parked(urls[reader])
            if late:
                faults.append(f"{reader} lacks {len(late)} of {len(told)} events of {producer}, first {min(late)}")
    return faults


async def _parked(url: str) -> set[str]:
    """Events that wait for an operator are not lost; I10 of the reader names them."""
    return await _ids(url, "SELECT event_id FROM parked WHERE event_id IS NOT NULL")


async def _ids(url: str, query: str, *args: Sequence[str]) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        return {str(row[0]) for row in await connection.fetch(query, *args)}
    finally:
        await connection.close()
