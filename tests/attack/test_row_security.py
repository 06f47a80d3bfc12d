"""Which tables hide their rows from other regions, and why the others need not: none is forgotten."""

import pytest
from stack.running import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

KIT = {"alembic_version", "audit", "audit_chain", "audit_seal", "idempotency", "inbox", "outbox", "parked", "read_log",
    "relay_cursor", "stream_position"}  # fmt: skip
"""Trails and machinery; no route shows them."""
OPEN: dict[str, dict[str, tuple[str, ...]]] = {
    "registry": {
        "public knowledge": ("region",),
        "accounts of officers, asked about by services alone": ("officer",),
        "work of the importing job; shown through their run, which is secured": (
            "import_chunk",
            "import_finding",
            "import_sample_seen",
            "import_staging",
        ),
    },
    "disbursement": {
        "the office's programmes and rules": (
            "cycle",
            "decree",
            "exclusivity_group",
            "exclusivity_member",
            "legal_basis",
            "programme",
            "quota",
            "rule_acknowledgement",
            "rule_version",
            "approval_rule",
        ),
        "the office's books": (
            "account_balance",
            "budget_line",
            "journal",
            "posting",
            "recon_item",
            "result_file",
            "result_row",
            "statement_entry",
            "treasury_doc",
        ),
        "shown through the batch or the payment, which are secured": (
            "approval",
            "attempt",
            "check_run",
            "chunk",
            "line_item",
            "payment_file",
        ),
        "rights of one person or death once only, in whatever region: must be seen by all writers": (
            "death_lock",
            "doc_use",
            "exclusivity_lock",
            "live_item",
        ),
        "no route shows it": ("fact_person",),
    },
    "grants": {"no route shows them": ("not_the_same", "reminder")},
    "notifications": {
        "the same everywhere": ("programme", "template_text", "channel_pause"),
        "an address belongs to no region; only its keyed hash is kept": ("suppression",),
        "what providers sent, before it is known whom it concerns": ("provider_post", "provider_report"),
    },
}
"""Why a table is open, and which are."""
_TABLES = """
SELECT c.relname AS name, c.relrowsecurity AS secured,
    EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'region_code' AND NOT a.attisdropped) AS regional
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1
"""


async def test_every_table_is_secured_or_says_why_not(running: Running) -> None:
    tables = {row["name"]: row for row in await running.sql(_TABLES)}
    said = {name for names in OPEN[running.service.name].values() for name in names}
    open_ = {name for name, row in tables.items() if not row["secured"]} - KIT
    assert sorted(open_ - said) == []
    assert sorted(said - open_) == []
    assert {name for name in open_ if tables[name]["regional"]} <= {"import_staging"}


async def test_the_application_never_owns_and_never_bypasses(running: Running) -> None:
    """Row security does not bind owners and superusers: the service must be neither."""
    [role] = await running.sql(
        "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = $1", f"{running.service.name}_app"
    )
    assert (role["rolsuper"], role["rolbypassrls"]) == (False, False)
    owned = "SELECT count(*) AS n FROM pg_tables WHERE schemaname = 'public' AND tableowner = $1"
    assert (await running.sql(owned, f"{running.service.name}_app"))[0]["n"] == 0
