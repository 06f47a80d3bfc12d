"""Databases and roles of the services: one database each, an owner role that migrates, an application role that cannot.

Nothing here knows a table; the services' migrations make those.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from stack.postgres import Postgres
from stack.trouble import Trouble


def owner(service: str) -> str:
    """The role that owns a service's database and runs its migrations."""
    return f"{service}_owner"


def app(service: str) -> str:
    """The role a service works as: it reads and writes rows, it changes no shape."""
    return f"{service}_app"


async def make_roles(postgres: Postgres, services: Mapping[str, tuple[str, str]]) -> None:
    """Make or renew the two roles of every service; the values are (owner password, application password)."""
    connection = await asyncpg.connect(postgres.url())
    try:
        for service, passwords in services.items():
            for role, password in zip((owner(service), app(service)), passwords, strict=True):
                known = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role)
                verb = "ALTER" if known else "CREATE"
                await connection.execute(
                    f"{verb} ROLE {_ident(role)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {_literal(password)}"
                )
    finally:
        await connection.close()


async def make_database(postgres: Postgres, name: str, service: str, template: str | None = None) -> bool:
    """Make a database owned by the service's owner role, empty or as a copy of `template`; False when it was there.

    Only the two roles of the service may connect.
    """
    connection = await asyncpg.connect(postgres.url())
    try:
        if await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            return False
        source = f"TEMPLATE {_ident(template)} STRATEGY file_copy" if template else ""
        await connection.execute(f"CREATE DATABASE {_ident(name)} OWNER {_ident(owner(service))} {source}")
        await connection.execute(f"REVOKE ALL ON DATABASE {_ident(name)} FROM PUBLIC")
        await connection.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {_ident(name)} TO {_ident(app(service))}")
    finally:
        await connection.close()
    if template is None:
        await _prepare(postgres, name)
    return True


async def _prepare(postgres: Postgres, name: str) -> None:
    """What only the superuser can give a new database: the extension that shows slow statements."""
    connection = await asyncpg.connect(postgres.url(name))
    try:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    finally:
        await connection.close()


async def drop_database(postgres: Postgres, name: str) -> None:
    """Forget a database, cutting off whoever is connected."""
    connection = await asyncpg.connect(postgres.url())
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {_ident(name)} WITH (FORCE)")
    finally:
        await connection.close()


async def migrate(folder: Path, owner_url: str) -> None:
    """Bring a database to the newest shape of a migrations folder. Safe to repeat. Raises Trouble when it is none."""
    from kit.db.migrate import upgrade

    if not (folder / "env.py").exists():
        raise Trouble(f"There are no migrations in {folder}.")
    await upgrade(folder, owner_url)


def shape(folder: Path) -> str:
    """A digest of everything that decides a service's tables: its migrations and the kit's."""
    import kit.db

    kit_folder = Path(str(kit.db.__file__)).parent
    files = [*sorted(folder.rglob("*.py")), *sorted(folder.rglob("*.sql"))]
    files += [kit_folder / "migrate.py", *sorted(kit_folder.glob("*.sql"))]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _ident(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise ValueError(f"no plain name for a role or database: {name!r}")
    return f'"{name}"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
