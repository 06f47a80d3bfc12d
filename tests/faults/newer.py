"""A service of the next version, as far as its readers can tell: `python -m faults.newer registry all`.

Its code is today's. What it announces is tomorrow's, by the rules of contracts/README.md: new fields at every depth of
every event, an attribute that nobody knows in the envelope, and a `v2` of another shape beside each `v1` that stands for
one change of one aggregate, as an event of its own with its own id and number.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from kit.cli import main
from kit.db.record import Told
from kit.db.types import Aggregate, Keyed
from kit.db.uow import UnitOfWork
from kit.events.relay import Relay
from pydantic import BaseModel
from sqlalchemy.orm.attributes import set_committed_value

SUFFIX = ".v2"
SHAPE = {"another": ["shape"]}
_announce, _pack, _headers = UnitOfWork.announce, Relay._pack, Relay._headers


def grown(value: Any) -> Any:
    """The same with new fields in every object of it."""
    if isinstance(value, dict):
        return {name: grown(part) for name, part in value.items()} | {"later_text": "x", "later_list": [{"a": 1}]}
    return [grown(part) for part in value] if isinstance(value, list) else value


async def announce(self: UnitOfWork, row: Keyed, event: str, payload: BaseModel | Mapping[str, Any]) -> None:
    """Both versions of an event, the old one first."""
    await _announce(self, row, event, payload)
    if isinstance(row, Aggregate):
        await self.session.write_record()
        contract, number = self.runtime.contracts.event(event), row.seq + 1
        newer = contract.type.rpartition(".v")[0] + SUFFIX
        told = Told(
            type(row).__table__, row.id, number, self.runtime.topic(contract.topic), newer, self._headers(), SHAPE
        )
        self.record.events.append(told)
        set_committed_value(row, "seq", number)


async def pack(self: Relay, producer: Any, rows: Sequence[Mapping[str, Any]]) -> Any:
    """The rows with what their readers do not know yet."""
    return await _pack(
        self, producer, [{**row, "payload": json.dumps(grown(json.loads(row["payload"])))} for row in rows]
    )


def headers(self: Relay, row: Mapping[str, Any], key: str) -> list[tuple[str, bytes]]:
    """An envelope with one attribute more."""
    return [*_headers(self, row, key), ("ce_later", b"x"), ("another-header", b"x")]


if __name__ == "__main__":
    UnitOfWork.announce, Relay._pack, Relay._headers = announce, pack, headers
    main(import_module(f"{sys.argv.pop(1)}.app").SERVICE)
