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
Row = tuple[UUID, int, Mapping[str, str], Mapping[str, Any]]
"""Key, sequence, headers, payload."""
_json = TypeAdapter[Any](Any).dump_json


async def copied(topic: str, type: str, rows: Sequence[Row]) -> AsyncIterator[bytes]:
    """The rows for `COPY outbox FROM STDIN (FORMAT text)`, in the given order."""
    before, between = f"{_escaped(topic)}\t", f"\t{_escaped(type)}\t"
    shared: Mapping[str, str] | None = None
    after = ""
    for start in range(0, len(rows), PIECE):
        piece = []
        for key, sequence, headers, payload in rows[start : start + PIECE]:
            if headers is not shared:  # most chunks have one cause, so one text
                shared, after = headers, f"\t{_escaped(_json(headers).decode())}\t"
            piece.append(f"{before}{key}{between}{sequence}{after}{_escaped(_json(payload).decode())}\n")
        yield "".join(piece).encode()


def _escaped(text: str) -> str:
    """A value of COPY's text form. JSON writes tabs and line ends as escapes, so only the backslash is left to double."""
    return text.replace("\\", "\\\\") if "\\" in text else text
