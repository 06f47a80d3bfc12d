"""Runs the migrations on the connection that the kit opened."""

from kit.db.migrate import run

run()
