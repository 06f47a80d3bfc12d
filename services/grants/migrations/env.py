"""Alembic's entry: the kit runs the migrations of this folder."""

from kit.db.migrate import run

run()
