"""Routes of messages: find them, explain one, count them, take one back, send one again."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Out, Versioned
from kit.http.paging import Page, PageArgs
from kit.http.problems import problems
from kit.ids import receipt
from pydantic import AwareDatetime, Field

from notifications.messages import commands, domain, queries
from notifications.messages.queries import Row as MessageRow
from notifications.messages.queries import Wanted
from notifications.messages.states import State

router = Api(prefix="/v1/messages", tags=["messages"])

PREFIX = "NT"
MOST_DAYS = 366
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Reader = Annotated[Actor, requires("notifications.messages:read", region=Region.OBJECT)]


class Cancel(Body):
    """Why the message is taken back."""

    reason: Code


class Redrive(Body):
    """What was mended, and until when the message is of use (needed when its last moment has passed)."""

    reason: Code
    expires_at: AwareDatetime | None = None


class MessageOut(Versioned):
    """A message; neither address nor text."""

    id: UUID
    receipt: str
    state: str
    reason: str | None
    message_class: str
    channel: str
    template: str
    language: str | None
    rule: str
    event_id: UUID
    event_type: str
    event_time: datetime
    subject_id: UUID
    recipient_kind: str
    recipient: str
    person_id: UUID | None
    region_code: str
    attempts: int
    segments: int | None
    fallback_of: UUID | None
    needs_paper: bool
    not_before: datetime
    expires_at: datetime
    next_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: MessageRow) -> "MessageOut":
        """The row as others see it."""
        shown = {name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)}
        return cls(**{**shown, "receipt": receipt(PREFIX, row.id), "reason": row.code, "language": row.locale})


class Step(Out):
    """One decision about a message."""

    no: int
    step: str
    state: str
    code: str | None
    facts: dict[str, Any]
    at: datetime
    actor: str


class AttemptOut(Out):
    """One call to a provider; the address masked."""

    no: int
    channel: str
    provider: str
    address_masked: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    code: str | None


class ReportOut(Out):
    """What a provider reported, and what came of it."""

    status: str
    code: str | None
    state: str
    reason: str | None
    received_at: datetime
    settled_at: datetime | None


class Trace(Out):
    """Why a message is where it is: every decision, call and report in order."""

    message: MessageOut
    steps: list[Step]
    attempts: list[AttemptOut]
    reports: list[ReportOut]


class Count(Out):
    """Messages in one state."""

    state: str
    channel: str
    message_class: str
    n: int


async def _wanted(
    *,
    subject_id: Annotated[
        UUID | None, Query(description="What it is about: a claim, a payment, an institution.")
    ] = None,
    event_id: Annotated[UUID | None, Query()] = None,
    person_id: Annotated[UUID | None, Query()] = None,
    state: Annotated[State | None, Query()] = None,
    needs_paper: Annotated[bool | None, Query(description="Nobody could be reached: it must be printed.")] = None,
    client_ref: Annotated[str | None, Query(max_length=64)] = None,
) -> Wanted:
    return Wanted(subject_id, event_id, person_id, state, needs_paper, client_ref)


@router.get("")
async def list_messages(
    reads: Reads,
    page: PageArgs,
    _: Reader,
    wanted: Annotated[Wanted, Depends(_wanted)],
) -> Page[MessageOut]:
    """List messages by what they are about, by event, by person, by state."""
    return page.page(await queries.messages(reads, page, wanted), lambda row: ("", row.id), MessageOut.of)


@router.get("/counts", responses=problems(422))
async def count_messages(
    reads: Reads,
    _: Reader,
    since: Annotated[AwareDatetime, Query(description="Planned at or after this instant.")],
    until: Annotated[AwareDatetime | None, Query(description="Planned before this instant; at most a year.")] = None,
) -> list[Count]:
    """Count messages by state, channel and class; unconfirmed is counted apart from failed."""
    last = min(until or since + timedelta(days=MOST_DAYS), since + timedelta(days=MOST_DAYS))
    return [Count.model_validate(row) for row in await queries.counts(reads, since, last)]


@router.get("/{message_id}", responses=problems(404))
async def get_message(message_id: UUID, reads: Reads, _: Reader) -> MessageOut:
    """Read one message."""
    return MessageOut.of(await queries.message(reads, message_id))


@router.get("/{message_id}/trace", responses=problems(404))
async def explain_message(message_id: UUID, reads: Reads, _: Reader) -> Trace:
    """Explain why a message was sent, not sent, or not sent yet."""
    row = await queries.message(reads, message_id)
    return Trace(
        message=MessageOut.of(row),
        steps=[Step.model_validate(step) for step in await queries.decisions(reads, message_id)],
        attempts=[AttemptOut.model_validate(attempt) for attempt in await queries.attempts(reads, message_id)],
        reports=[ReportOut.model_validate(report) for report in await queries.reports(reads, message_id)],
    )


@router.post("/{message_id}:cancel", responses=problems(403, 404, 409, 412, 428))
async def cancel_message(
    message_id: UUID,
    body: Cancel,
    uow: Uow,
    version: IfMatch,
    _: Annotated[Actor, requires("notifications.messages:write", region=Region.OBJECT)],
) -> MessageOut:
    """Take a message back before it is sent; afterwards 409."""
    return MessageOut.of(await commands.cancel(uow, message_id, body.reason, version))


@router.post("/{message_id}:redrive", responses=problems(403, 404, 409, 412, 428))
async def redrive_message(
    message_id: UUID,
    body: Redrive,
    uow: Uow,
    version: IfMatch,
    _: Annotated[Actor, requires("notifications.messages:redrive", region=Region.OBJECT)],
) -> MessageOut:
    """Send a dead-lettered message again under the same id."""
    command = domain.Redrive(body.reason, body.expires_at)
    return MessageOut.of(await commands.redrive(uow, message_id, command, version))


paper = Api(prefix="/v1/paper-messages", tags=["messages"])


class PaperOut(Out):
    """A message for the printed list of the village: who (by id) and what it says."""

    id: UUID
    receipt: str
    person_id: UUID | None
    region_code: str
    subject: str | None
    body: str | None
    reason: str | None

    @classmethod
    def of(cls, row: MessageRow) -> "PaperOut":
        """The row as it is printed."""
        return cls(
            id=row.id, receipt=receipt(PREFIX, row.id), person_id=row.person_id, region_code=row.region_code,
            subject=row.subject, body=row.body, reason=row.code,
        )  # fmt: skip


@paper.get("")
async def list_paper_messages(
    reads: Reads,
    page: PageArgs,
    _: Annotated[Actor, requires("notifications.paper:read", region=Region.OBJECT)],
) -> Page[PaperOut]:
    """List what people without a reachable contact must be told on paper. The read is logged."""
    rows = await queries.messages(reads, page, Wanted(needs_paper=True))
    await reads.log_reads("paper-list", ["message"], [row.person_id for row in rows if row.person_id])
    return page.page(rows, lambda row: ("", row.id), PaperOut.of)
