"""Runs the migrations of the sample service on the connection that the kit opened."""

from kit.db.migrate import run

run()
