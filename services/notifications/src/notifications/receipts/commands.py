"""Receipts: keep the raw post at once, read it afterwards, apply each report by rank, park what finds no message."""

import hashlib
import hmac
import json
from datetime import timedelta

from kit.auth.actor import Actor
from kit.crypto.fields import Sealed
from kit.db.uow import UnitOfWork
from kit.ids import new_id
from kit.machine import Refusal
from kit.runtime import Runtime

from notifications.messages import commands, domain
from notifications.messages.sending import bury
from notifications.messages.states import State
from notifications.receipts import store
from notifications.receipts.reading import DEAD_ADDRESS, Status, Unreadable, read

ACTOR = Actor.system("provider-receipts")
PARKED_FOR = timedelta(hours=72)
LOOK_AGAIN = timedelta(seconds=30)
WORK_LIST = 200
UNKNOWN_CODE = "tanpa_alasan"


def signed(body: bytes, header: str, secret: str) -> bool:
    """Whether `X-Hub-Signature-256: sha256=<hex>` is the HMAC of the raw body; compared in constant time."""
    method, _, digest = header.partition("=")
    wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return method == "sha256" and hmac.compare_digest(wanted.encode(), digest.lower().encode())


async def keep(runtime: Runtime, provider: str, body: bytes) -> None:
    """Store the raw post, sealed; the same bytes again only count. Nothing is understood here."""
    id = new_id()
    sealed = runtime.fields.seal_bytes(body, at=_place(str(id)))
    async with runtime.begin(ACTOR) as uow:
        await store.keep(uow, id=id, provider=provider, digest=hashlib.sha256(body).digest(), body=sealed)


async def settle(runtime: Runtime) -> None:
    """Read new posts and apply what waits."""
    while await _read_posts(runtime):
        pass
    while await _apply_reports(runtime):
        pass


async def _read_posts(runtime: Runtime) -> int:
    async with runtime.begin(ACTOR) as uow:
        posts = await store.unread(uow, WORK_LIST)
        for post in posts:
            try:
                reports = read(json.loads(runtime.fields.open_bytes(post.body_enc, at=_place(str(post.id)))))
            except (Unreadable, ValueError, RecursionError, Sealed):
                await store.mark(uow, post.id, "unreadable")
                continue
            for report in reports:
                await store.add(uow, post, report)
            await store.mark(uow, post.id, "read")
        return len(posts)


async def _apply_reports(runtime: Runtime) -> int:
    async with runtime.begin(ACTOR) as uow:
        reports = await store.waiting(uow, uow.now - LOOK_AGAIN, WORK_LIST)
        for report in reports:
            await _apply(uow, report)
        return len(reports)


async def _apply(uow: UnitOfWork, found: store.OpenReport) -> None:
    attempt = await store.attempt_of(uow, found)
    if attempt is None:
        late = found.received_at + PARKED_FOR <= uow.now
        await store.settle(uow, found.id, "lapsed" if late else "parked", "rujukan_tidak_dikenal", None)
        return
    row = await commands.hold(uow, attempt.message_id)
    if row.state == State.SENDING and row.attempts == attempt.no:
        await store.settle(uow, found.id, "parked", "panggilan_masih_berjalan", row.id)
        return
    report = found.report
    if report.provider_ref is not None:
        await store.learn_ref(uow, row.id, attempt.no, report.provider_ref)
    command = _command(found, attempt.no, State(row.state))
    if command is None:
        await store.settle(uow, found.id, "ignored", "hanya_kabar", row.id)
        return
    if report.status is Status.FAILED and report.code in DEAD_ADDRESS:
        await bury(uow, row, attempt.no, report.code)
    refusal = await commands.try_move(uow, row, command, {"report": str(found.id)})
    if isinstance(refusal, Refusal):
        await store.settle(uow, found.id, "ignored", refusal.reasons[0].code, row.id)
    else:
        await store.settle(uow, found.id, "applied", None, row.id)


def _command(found: store.OpenReport, attempt: int, state: State) -> domain.Command | None:
    code = found.report.code or UNKNOWN_CODE
    match found.report.status:
        case Status.DELIVERED:
            return domain.ReportDelivered(attempt)
        case Status.FAILED:
            return domain.ReportFailed(attempt, code)
        case Status.REFUSED_FOR_NOW:
            return domain.ReportRefusedForNow(attempt, code)
        case Status.SENT if state is State.UNKNOWN:
            return domain.Accept(attempt)
        case _:
            return None


def _place(id: str) -> str:
    return f"provider_post:body_enc:{id}"
