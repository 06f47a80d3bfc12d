"""The rows of the outbox as COPY takes them: the text that PostgreSQL reads while the rest of it is still being written.

Only the unit of work comes in here. Text, because building it costs a third of packing typed values one by one, and
in pieces, because process and database then work at the same time.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

COLUMNS = ("topic", "key", "type", "sequence", "headers", "payload")
PIECE = 250
"""Rows that are handed over at one time."""
_json = TypeAdapter[Any](Any).dump_json


async def copied(
    topic: str, type: str, headers: Mapping[str, str], rows: Sequence[tuple[UUID, int, Mapping[str, Any]]]
) -> AsyncIterator[bytes]:
    """The rows (key, sequence, payload) for `COPY outbox FROM STDIN (FORMAT text)`, in the given order."""
    before, between = f"{_escaped(topic)}\t", f"\t{_escaped(type)}\t"
    after = f"\t{_escaped(_json(headers).decode())}\t"
    for start in range(0, len(rows), PIECE):
        yield "".join(
            f"{before}{key}{between}{sequence}{after}{_escaped(_json(payload).decode())}\n"
            for key, sequence, payload in rows[start : start + PIECE]
        ).encode()


def _escaped(text: str) -> str:
    """A value of COPY's text form. JSON writes tabs and line ends as escapes, so only the backslash is left to double."""
    return text.replace("\\", "\\\\") if "\\" in text else text
