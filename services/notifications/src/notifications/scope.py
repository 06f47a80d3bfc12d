"""The region rule of lists, in SQL: what the actor of the transaction may see (the database checks it once more)."""

from sqlalchemy import text

IN_REGIONS = text("(current_setting('santun.regions', true) = '*' OR santun_region_allowed(region_code))")
"""For tables with `region_code`; the transaction carries the actor's prefixes."""
