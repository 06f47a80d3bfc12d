"""Every SQL statement of receipts: the raw post, its reports, and the attempts they speak of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import text

from notifications.receipts.reading import Report, Status

KEEP = text(
    "INSERT INTO provider_post (id, provider, digest, body_enc, received_at) VALUES (:id, :provider, :digest, :body, :at)"
    " ON CONFLICT (provider, digest) DO UPDATE SET repeats = provider_post.repeats + 1"
)
UNREAD = text(
    "SELECT id, provider, body_enc, received_at FROM provider_post WHERE state = 'stored' ORDER BY id LIMIT :limit"
    " FOR UPDATE SKIP LOCKED"
)
MARK = text("UPDATE provider_post SET state = :state WHERE id = :id")
ADD = text(
    "INSERT INTO provider_report (post_id, provider, provider_ref, reference, status, code, state, received_at)"
    " VALUES (:post, :provider, :ref, :reference, :status, :code, 'new', :at)"
)
OPEN = text(
    "SELECT id, provider, provider_ref, reference, status, code, received_at FROM provider_report"
    " WHERE state IN ('new', 'parked') AND (looked_at IS NULL OR looked_at <= :before)"
    " ORDER BY looked_at NULLS FIRST, id LIMIT :limit FOR UPDATE SKIP LOCKED"
)
ATTEMPT = text(
    "SELECT message_id, no FROM attempt WHERE id = :reference"
    " UNION ALL SELECT message_id, no FROM attempt WHERE provider = :provider AND provider_ref = :ref LIMIT 1"
)
LEARN_REF = text(
    "UPDATE attempt SET provider_ref = :ref WHERE message_id = :message AND no = :no AND provider_ref IS NULL"
)
SETTLE = text(
    "UPDATE provider_report SET state = :state, reason = :reason, message_id = :message, looked_at = :at,"
    " settled_at = CASE WHEN :state = 'parked' THEN NULL ELSE CAST(:at AS timestamptz) END WHERE id = :id"
)


@dataclass(frozen=True, slots=True)
class OpenReport:
    """A report that waits for its message."""

    id: UUID
    provider: str
    report: Report
    received_at: datetime


async def keep(uow: UnitOfWork, *, id: UUID, provider: str, digest: bytes, body: bytes) -> None:
    """Store a raw post, or count it again when the very same one is known."""
    await uow.execute(KEEP, {"id": id, "provider": provider, "digest": digest, "body": body, "at": uow.now})


async def unread(uow: UnitOfWork, limit: int) -> Sequence[Any]:
    """Raw posts nobody has read."""
    return (await uow.execute(UNREAD, {"limit": limit})).all()


async def mark(uow: UnitOfWork, post_id: UUID, state: str) -> None:
    """Say that a post was read, or cannot be."""
    await uow.execute(MARK, {"id": post_id, "state": state})


async def add(uow: UnitOfWork, post: Any, report: Report) -> None:
    """Keep one report of a post until it finds its message."""
    await uow.execute(
        ADD,
        {
            "post": post.id, "provider": post.provider, "ref": report.provider_ref, "reference": report.reference,
            "status": report.status.value, "code": report.code, "at": post.received_at,
        },
    )  # fmt: skip


async def waiting(uow: UnitOfWork, before: datetime, limit: int) -> list[OpenReport]:
    """Reports without an outcome, those never looked at first."""
    rows = await uow.execute(OPEN, {"before": before, "limit": limit})
    return [
        OpenReport(r.id, r.provider, Report(Status(r.status), r.provider_ref, r.reference, r.code), r.received_at)
        for r in rows
    ]


async def attempt_of(uow: UnitOfWork, found: OpenReport) -> Any:
    """The attempt that a report speaks of: message_id and no; None when it is not known (yet)."""
    params = {"reference": found.report.reference, "provider": found.provider, "ref": found.report.provider_ref}
    return (await uow.execute(ATTEMPT, params)).first()


async def learn_ref(uow: UnitOfWork, message_id: UUID, no: int, ref: str) -> None:
    """The provider's own number of a call whose answer was lost."""
    await uow.execute(LEARN_REF, {"message": message_id, "no": no, "ref": ref})


async def settle(uow: UnitOfWork, report_id: UUID, state: str, reason: str | None, message_id: UUID | None) -> None:
    """Say what became of a report."""
    params = {"id": report_id, "state": state, "reason": reason, "message": message_id, "at": uow.now}
    await uow.execute(SETTLE, params)
