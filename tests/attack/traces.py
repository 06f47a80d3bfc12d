"""What a service has stored, as one figure per table: to show that an attack left nothing behind."""

from collections.abc import Iterable

from stack.running import Running

_TABLES = """
SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT LIKE 'region%'
ORDER BY 1
"""


async def stored(running: Running, *, without: Iterable[str] = ()) -> dict[str, str]:
    """Rows and digest of every table but the reference ones and those named in `without`."""
    names = [row["name"] for row in await running.sql(_TABLES)]
    kept = [name for name in names if name not in set(without)]
    union = " UNION ALL ".join(
        f"SELECT '{name}' AS name, count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)), 0) AS sum FROM {name} t"
        for name in kept
    )
    return {row["name"]: row["sum"] for row in await running.sql(union)}
