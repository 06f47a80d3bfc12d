"""Migrations may run while people work and while the release before still answers."""

import ast
from pathlib import Path

import pytest
from architecture.ddl import unsafe
from stack.places import ROOT

MIGRATIONS = sorted(ROOT.glob("services/*/migrations/versions/*.py"))
BEFORE_THE_FIRST_RELEASE = {
    "disbursement/0001", "disbursement/0002", "disbursement/0003", "disbursement/0004", "grants/0001", "grants/0002",
    "notifications/0001", "notifications/0002", "notifications/0003", "registry/0001", "registry/0002", "registry/0003",
}  # fmt: skip
"""Nobody upgrades from before them: no system of that shape was ever released."""


def _id(file: Path) -> str:
    return f"{file.parts[-4]}/{file.name[:4]}"


def _sql(file: Path) -> str:
    """All texts of a migration but its docstrings: what it may run."""
    tree = ast.parse(file.read_text())
    docs = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef)
    }
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return ";\n".join(text for text in texts if text not in docs)


def test_a_migration_may_run_while_people_work() -> None:
    found = {_id(file): unsafe(_sql(file)) for file in MIGRATIONS if _id(file) not in BEFORE_THE_FIRST_RELEASE}
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_what_came_before_the_first_release_is_named_file_by_file() -> None:
    assert {_id(file) for file in MIGRATIONS} >= BEFORE_THE_FIRST_RELEASE


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE claim", "ALTER TABLE claim DROP COLUMN pct", "ALTER TABLE claim RENAME COLUMN pct TO share",
        "ALTER TABLE claim ALTER COLUMN pct TYPE bigint", "ALTER TABLE claim ALTER pct SET NOT NULL",
        "CREATE INDEX claim_pct ON claim (pct)", "CREATE UNIQUE INDEX one ON line (id, state)",
        "ALTER TABLE claim ADD COLUMN share int NOT NULL", "ALTER TABLE claim ADD COLUMN at timestamptz DEFAULT now()",
        "ALTER TABLE claim ADD CONSTRAINT pct_sane CHECK (pct < 101)", "ALTER TABLE line ADD CONSTRAINT u UNIQUE (id, state)",
        "ALTER TABLE line ADD CONSTRAINT f FOREIGN KEY (batch_id) REFERENCES batch", "UPDATE claim SET pct = 0",
        "DELETE FROM line", "TRUNCATE line", "LOCK TABLE line", "REINDEX TABLE line", "DROP FUNCTION santun_seq",
        "CREATE TABLE fresh (id int); CREATE INDEX old_id ON old (id)",
    ],
)  # fmt: skip
def test_a_statement_that_would_stop_somebody_is_seen(sql: str) -> None:
    assert unsafe(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE claim ADD COLUMN share int", "ALTER TABLE claim ADD COLUMN share int NOT NULL DEFAULT 0",
        "CREATE INDEX CONCURRENTLY claim_pct ON claim (pct)", "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS one ON line (id)",
        "ALTER TABLE claim ADD CONSTRAINT pct_sane CHECK (pct < 101) NOT VALID", "ALTER TABLE claim VALIDATE CONSTRAINT pct_sane",
        "CREATE TABLE fresh (id int); CREATE INDEX fresh_id ON fresh (id); ALTER TABLE fresh ALTER id SET NOT NULL",
        "ALTER TABLE line ADD CONSTRAINT u UNIQUE USING INDEX one", "UPDATE claim SET pct = 0 WHERE id = 'x'",
        "-- DROP TABLE claim\nSELECT 1", "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DELETE FROM line; UPDATE a SET b = 1 $$",
    ],
)  # fmt: skip
def test_a_statement_that_stops_nobody_passes(sql: str) -> None:
    assert unsafe(sql) == []
