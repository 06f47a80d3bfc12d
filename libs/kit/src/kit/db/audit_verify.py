"""Verify an exported audit trail with the standard library alone: `python audit_verify.py trail.jsonl`.

A line per block says its number, the head before it, the head after it and how many entries it has; its entries follow,
a line each, in the very form that is hashed. Every entry is hashed, in order, onto the head before; a changed, missing
or reordered entry breaks the chain there.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

GENESIS = bytes(32)
BLOCK = '{"block"'
GONE = "null"
"""Stands for an entry that is no longer there."""


def entry_bytes(entry: Mapping[str, Any]) -> bytes:
    """The canonical form of an entry: JSON with sorted keys and no blanks."""
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def chain(head: bytes, entries: Iterable[bytes]) -> bytes:
    """The head after these entries: SHA-256 over the head before and the entry, one after another."""
    for entry in entries:
        head = hashlib.sha256(head + entry).digest()
    return head


def verify(lines: Iterable[str]) -> list[str]:
    """What is wrong with the trail, in words; an empty list means the chain holds."""
    faults: list[str] = []
    head, expected = GENESIS, 1
    for block, entries in _blocks(lines):
        if block["block"] != expected:
            faults.append(f"block {expected} is missing")
        if bytes.fromhex(block["previous"]) != head:
            faults.append(f"block {block['block']} does not follow the one before it")
        missing = entries.count(GONE) + block["entries"] - len(entries)
        if missing:
            faults.append(f"block {block['block']}: {missing} entries are missing")
        elif chain(bytes.fromhex(block["previous"]), map(str.encode, entries)).hex() != block["head"]:
            faults.append(f"block {block['block']} was changed")
        head, expected = bytes.fromhex(block["head"]), block["block"] + 1
    return faults


def _blocks(lines: Iterable[str]) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Each block with the lines of its entries. An entry begins with `actor`, so no entry looks like a block."""
    block: dict[str, Any] | None = None
    entries: list[str] = []
    for line in lines:
        if not line.startswith(BLOCK):
            entries.append(line)
            continue
        if block is not None:
            yield block, entries
        block, entries = json.loads(line), []
    if block is not None:
        yield block, entries


if __name__ == "__main__":
    found = verify(Path(sys.argv[1]).read_text().rstrip("\n").split("\n"))
    sys.stdout.write("\n".join(found) + "\n" if found else "the chain holds\n")
    sys.exit(bool(found))
