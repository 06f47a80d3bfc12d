"""Which statements of a migration would stop the office's work, or the services of the release before.

Old and new services run beside each other during an upgrade, so a migration may only add (expand); what nobody uses any more
goes in a later release (contract). And no statement may hold a table that people work on: an index is built CONCURRENTLY, a
constraint comes NOT VALID and is validated after.
"""

import re
from collections.abc import Iterator

_NAME = r'"?(?P<table>[a-z_][a-z0-9_]*)"?'
_RULES = (
    (r"\bDROP\s+TABLE\b", "the release before still reads the table: drop it one release after its last use"),
    (r"\bDROP\s+COLUMN\b", "the release before still reads the column: drop it one release after its last use"),
    (r"\bDROP\s+(FUNCTION|PROCEDURE|VIEW|TYPE|SCHEMA)\b", "the release before may still use it"),
    (r"\bRENAME\b", "the release before knows the old name: add the new one beside it"),
    (r"\bALTER\s+(COLUMN\s+)?\S+\s+(SET\s+DATA\s+)?TYPE\b", "it writes the table anew under a lock: add a column and fill it in chunks"),
    (r"\bSET\s+NOT\s+NULL\b", "it reads the whole table under a lock: add CHECK (... IS NOT NULL) NOT VALID, validate it, then set"),
    (r"\bTRUNCATE\b", "migrations forget nothing"),
    (r"\bLOCK\s+TABLE\b", "nobody else could work"),
    (r"\bVACUUM\s+FULL\b|\bCLUSTER\b|\bREINDEX\b(?!.*CONCURRENTLY)", "it writes the table anew under a lock"),
    (r"\bUPDATE\b(?!.*\bWHERE\b)|\bDELETE\s+FROM\b(?!.*\bWHERE\b)", "all rows in one transaction: fill in chunks, by a job"),
)  # fmt: skip
_MADE_HERE = re.compile(rf"\bCREATE\s+TABLE\s+(IF\s+NOT\s+EXISTS\s+)?{_NAME}", re.IGNORECASE)
_INDEX = re.compile(rf"\bCREATE\s+(UNIQUE\s+)?INDEX\s+(?P<together>CONCURRENTLY\s+)?.*?\bON\s+(ONLY\s+)?{_NAME}", re.IGNORECASE | re.DOTALL)  # fmt: skip
_ALTER = re.compile(rf"\bALTER\s+TABLE\s+(IF\s+EXISTS\s+)?(ONLY\s+)?{_NAME}(?P<rest>.*)", re.IGNORECASE | re.DOTALL)


def statements(sql: str) -> Iterator[str]:
    """The statements of a script, without comments; bodies of functions stay whole."""
    plain = re.sub(r"--[^\n]*", "", sql)
    for part in re.split(r";(?=(?:[^$]*\$[a-z]*\$[^$]*\$[a-z]*\$)*[^$]*$)", plain):
        if text := " ".join(part.split()):
            yield text


def unsafe(sql: str) -> list[str]:
    """What may not run while people work, one sentence each; empty when all is well."""
    texts = list(statements(sql))
    new = {found["table"].lower() for text in texts if (found := _MADE_HERE.search(text))}
    return [f"{text[:100]}: {why}" for text in texts for why in _faults(text, new)]


def _faults(text: str, new: set[str]) -> Iterator[str]:
    if re.match(r"CREATE (OR REPLACE )?(FUNCTION|PROCEDURE)", text, re.IGNORECASE):
        return
    altered = _ALTER.search(text)
    if altered and altered["table"].lower() in new:
        return
    for pattern, why in _RULES:
        if re.search(pattern, text, re.IGNORECASE):
            yield why
    index = _INDEX.search(text)
    if index and not index["together"] and index["table"].lower() not in new:
        yield "writers wait until the index is built: CREATE INDEX CONCURRENTLY, in a migration of its own"
    if altered:
        yield from _additions(altered["rest"])


def _additions(rest: str) -> Iterator[str]:
    for column in re.findall(r"\bADD\s+COLUMN\b[^,]*", rest, re.IGNORECASE):
        if re.search(r"\bNOT\s+NULL\b", column, re.IGNORECASE) and not re.search(
            r"\bDEFAULT\b|\bGENERATED\b", column, re.IGNORECASE
        ):
            yield "the release before does not fill it: give it a DEFAULT, or let it be NULL"
        if re.search(r"\bDEFAULT\b.*\b(now|clock_timestamp|gen_random_uuid|random|nextval)\b", column, re.IGNORECASE):
            yield "a default that differs from row to row writes the whole table anew"
    if re.search(r"\bADD\s+(CONSTRAINT\s+\S+\s+)?(CHECK|FOREIGN\s+KEY)\b", rest, re.IGNORECASE) and not re.search(
        r"\bNOT\s+VALID\b", rest, re.IGNORECASE
    ):
        yield "it reads the whole table under a lock: NOT VALID first, VALIDATE CONSTRAINT after"
    if re.search(r"\bADD\s+(CONSTRAINT\s+\S+\s+)?(UNIQUE|PRIMARY\s+KEY)\s*\(", rest, re.IGNORECASE):
        yield "writers wait until its index is built: CREATE UNIQUE INDEX CONCURRENTLY first, then USING INDEX"
