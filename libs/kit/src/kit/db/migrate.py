"""Migrations: the runner behind every service's `migrations/env.py`, and the pieces a migration may use.

Only migrations and the `migrate` command come in here. The owner role runs them; the application role gets the right
to read and append, never to change the shape.
"""

from importlib.resources import files
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.operations import Operations
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.util import await_only

_LOCK = 4_721_001
"""One migration at a time per database (advisory lock)."""


def run() -> None:
    """Run the migrations of the folder whose `env.py` calls this, on the connection that `upgrade` opened."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def upgrade(migrations: Path, owner_url: str, revision: str = "head") -> None:
    """Bring the database behind `owner_url` (asyncpg URL of the owner role) to `revision`.

    Safe to repeat and to run twice at once. A migration that waits more than 5 seconds for a lock gives up, so that it
    never stands in front of the office's work.
    """
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("path_separator", "os")

    def work(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    engine = create_async_engine(_async_url(owner_url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            await connection.execute(text("SET lock_timeout = '5s'"))
            await connection.commit()
            await connection.run_sync(work)
            await connection.commit()
    finally:
        await engine.dispose()


def script(op: Operations, sql: str) -> None:
    """Run a plain SQL script of many statements in the migration's transaction."""
    raw = op.get_bind().connection.driver_connection
    assert raw is not None  # noqa: S101 - a migration runs on an open connection
    op.execute(text("SELECT 1"))  # opens the transaction that the script joins
    await_only(raw.execute(sql))


def create_kit_tables(op: Operations) -> None:
    """Create the kit's tables, functions and grants; the first line of every service's migration 0001."""
    role = _app_role(op)
    script(
        op,
        _grants(
            role,
            """
            GRANT USAGE ON SCHEMA public TO {app};
            ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE ON TABLES TO {app};
            ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {app};
            """,
        ),
    )
    script(op, files("kit.db").joinpath("shapes_v1.sql").read_text())
    script(
        op,
        _grants(
            role,
            """
            REVOKE UPDATE ON outbox, inbox, audit, audit_seal, read_log FROM {app};
            GRANT DELETE ON idempotency TO {app};
            GRANT EXECUTE ON FUNCTION santun_make_partitions(int), santun_drop_partitions(int, int) TO {app};
            """,
        ),
    )


def enable_region_security(op: Operations, table: str, column: str = "region_code") -> None:
    """Let the application role see and write only rows of the regions its transaction names (or all, for `*`).

    The second net under the application's own check; a transaction that names no region sees nothing.
    """
    role, quoted, rule = _app_role(op), _ident(table), _region_rule(column)
    script(
        op,
        f"ALTER TABLE {quoted} ENABLE ROW LEVEL SECURITY;"
        f"CREATE POLICY by_region ON {quoted} TO {role} USING ({rule}) WITH CHECK ({rule});",
    )


def quicken_region_security(op: Operations, *tables: str, column: str = "region_code") -> None:
    """Give tables that were secured by an earlier version the rule of today, which reads the regions once a statement.

    The first one called a function for every row; that was half of what bulk statements cost.
    """
    rule = _region_rule(column)
    for table in tables:
        script(op, f"ALTER POLICY by_region ON {_ident(table)} USING ({rule}) WITH CHECK ({rule});")


def _region_rule(column: str) -> str:
    """The row's code is one of the regions, or lies below one.

    What does not depend on the row stands in subqueries of its own, so that PostgreSQL works it out once for each
    statement; what is left for a row is to compare the beginning of its code, with a full stop, to a few prefixes.
    """
    regions = "current_setting('santun.regions', true)"
    prefixes = f"array_remove(string_to_array(replace({regions}, ',', '.,') || '.', ','), '.')"
    return f"(SELECT {regions}) = '*' OR ({_ident(column)} || '.') ^@ ANY ((SELECT {prefixes})::text[])"


def insert_only(op: Operations, *tables: str) -> None:
    """Take the right to change rows of these tables from the application role: facts are appended."""
    role = _app_role(op)
    for table in tables:
        script(op, f"REVOKE UPDATE, DELETE ON {_ident(table)} FROM {role};")


def allow_delete(op: Operations, *tables: str) -> None:
    """Give the application role the right to delete rows of these tables (locks, staging), which it lacks by default."""
    role = _app_role(op)
    for table in tables:
        script(op, f"GRANT DELETE ON {_ident(table)} TO {role};")


def _app_role(op: Operations) -> str:
    """The application role beside the owner role that runs this migration."""
    owner = str(op.get_bind().execute(text("SELECT current_user")).scalar_one())
    if not owner.endswith("_owner"):
        raise RuntimeError(f"migrations run as the role '<service>_owner', not as {owner!r}")
    return _ident(owner.removesuffix("_owner") + "_app")


def _ident(name: str) -> str:
    """Quote an identifier that comes from the migration itself, never from outside."""
    return '"' + name.replace('"', '""') + '"'


def _grants(role: str, statements: str) -> str:
    return statements.format(app=role)


def _async_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)
