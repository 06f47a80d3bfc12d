"""Reads of messages: lists, counts, the printed list, and the trace that explains one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from kit.http.paging import Paging
from sqlalchemy import text
from sqlmodel import col, select

from notifications.messages.states import State
from notifications.messages.tables import AttemptRow, MessageRow
from notifications.scope import IN_REGIONS

Row = MessageRow
"""A row as other slices may read it; it never leaves the service as it is."""

COUNTS = text(
    "SELECT state, channel, message_class, count(*) AS n FROM message"
    " WHERE created_at >= :since AND created_at < :until"
    " AND (current_setting('santun.regions', true) = '*' OR santun_region_allowed(region_code))"
    " GROUP BY state, channel, message_class ORDER BY state, channel, message_class"
)
DECISIONS = text(
    "SELECT no, step, state, code, facts, at, actor FROM decision WHERE message_id = :id ORDER BY no LIMIT 500"
)
REPORTS = text(
    "SELECT status, code, state, reason, received_at, settled_at FROM provider_report WHERE message_id = :id"
    " ORDER BY id LIMIT 200"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages a list shows; None does not narrow."""

    subject_id: UUID | None = None
    event_id: UUID | None = None
    person_id: UUID | None = None
    state: State | None = None
    needs_paper: bool | None = None
    client_ref: str | None = None


async def messages(uow: UnitOfWork, page: Paging, wanted: Wanted) -> Sequence[MessageRow]:
    """Messages of the actor's regions, oldest first."""
    query = select(MessageRow).where(IN_REGIONS).order_by(col(MessageRow.id)).limit(page.take)
    for column, value in (
        (col(MessageRow.subject_id), wanted.subject_id),
        (col(MessageRow.event_id), wanted.event_id),
        (col(MessageRow.person_id), wanted.person_id),
        (col(MessageRow.state), wanted.state.value if wanted.state else None),
        (col(MessageRow.needs_paper), wanted.needs_paper),
        (col(MessageRow.client_ref), wanted.client_ref),
    ):
        if value is not None:
            query = query.where(column == value)
    if page.after is not None:
        query = query.where(col(MessageRow.id) > page.after[1])
    return list((await uow.session.execute(query)).scalars())


async def message(uow: UnitOfWork, id: UUID) -> MessageRow:
    """One message. Raises Missing when there is none in the actor's regions."""
    row = (await uow.session.execute(select(MessageRow).where(col(MessageRow.id) == id))).scalar_one_or_none()
    if row is None:
        raise Missing("message")
    uow.within(row.region_code)
    return row


async def decisions(uow: UnitOfWork, id: UUID) -> Sequence[Any]:
    """Every step of a message and every thing that was ignored, in order."""
    return (await uow.execute(DECISIONS, {"id": id})).all()


async def attempts(uow: UnitOfWork, id: UUID) -> Sequence[AttemptRow]:
    """The calls made for a message."""
    query = select(AttemptRow).where(col(AttemptRow.message_id) == id).order_by(col(AttemptRow.no))
    return list((await uow.session.execute(query)).scalars())


async def reports(uow: UnitOfWork, id: UUID) -> Sequence[Any]:
    """What providers reported about a message, applied or ignored."""
    return (await uow.execute(REPORTS, {"id": id})).all()


async def counts(uow: UnitOfWork, since: datetime, until: datetime) -> Sequence[Any]:
    """How many messages planned in the time stand in which state, by channel and class."""
    return (await uow.execute(COUNTS, {"since": since, "until": until})).all()
