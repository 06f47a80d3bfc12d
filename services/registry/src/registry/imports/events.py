"""What an import run tells others: one event a move, with counts; its lines are told by persons and families."""

from datetime import date
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from registry.imports.tables import ImportRun


class ImportMoved(BaseModel):
    """Counts appear once they are known: of lines after reading, of differences after comparing."""

    run_id: UUID
    kind: str
    as_of: date
    rows_read: int | None = None
    rows_ok: int | None = None
    rows_rejected: int | None = None
    new: int | None = None
    gone: int | None = None
    changed: int | None = None
    brake: list[str] | None = None
    reasons: list[str] | None = None
    state: str

    @classmethod
    def of(cls, run: ImportRun) -> Self:
        """The payload of the run as it stands."""
        told = cls(run_id=run.id, kind=run.kind, as_of=run.as_of, state=run.state)
        if run.state == "received":
            return told
        told.rows_read, told.rows_ok, told.rows_rejected = run.rows_read, run.rows_ok, run.rows_rejected
        if run.state == "rejected":
            told.reasons = [run.reason] if run.reason else []
        elif run.state not in ("parsed", "discarded"):
            told.new, told.gone, told.changed = run.new_rows, run.gone_rows, run.changed_rows
            told.brake = list(run.brake)
        return told
