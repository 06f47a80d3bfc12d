"""The database side of the kit: engine, unit of work, audit, migrations, bulk."""
