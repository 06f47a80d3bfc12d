"""Idempotency keys: the answer of a command is kept in the command's own transaction and given again to a repeat.

Only `kit.http.deps` and the route class come in here. Kept for seven days, sealed, since an answer may name a person.
"""

import hashlib
import json
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from kit.auth.actor import Actor
from kit.db.uow import SETUP, UnitOfWork
from kit.errors import Conflict, HeaderRequired, Invalid, KeyReused
from kit.failpoints import failpoint
from kit.http.problems import sqlstate

HEADER = "Idempotency-Key"
KEPT = timedelta(days=7)
_KEY = re.compile(r"[\x21-\x7e]{8,64}")
_LOCK_NOT_AVAILABLE = "55P03"
_CHUNK = 256 * 1024

_CLAIM = text(
    "WITH setup AS MATERIALIZED (" + SETUP + ")"
    " INSERT INTO idempotency (principal, key, route, fingerprint, created_at, expires_at)"
    " SELECT :principal, :key, :route, :fingerprint, now(), now() + :kept FROM setup"
    " ON CONFLICT (principal, key) DO NOTHING RETURNING 1"
)
"""Sets the transaction up and takes the key, as the first statement of the transaction."""
_FIND = text("SELECT fingerprint, status, body, headers FROM idempotency WHERE principal = :principal AND key = :key")


class Replay(Exception):
    """The command ran before; `response` is what was answered then. Ends the transaction without effect."""

    def __init__(self, response: Response) -> None:
        super().__init__("answered before")
        self.response = response


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that this request holds until its transaction ends."""

    principal: str
    key: str

    @property
    def place(self) -> str:
        """What a sealed answer is bound to."""
        return f"idempotency:{self.principal}:{self.key}"


def key_of(request: Request) -> str | None:
    """The key in the header, None without one. Raises HeaderRequired for a POST without, Invalid (400) for another form."""
    found = request.headers.get(HEADER)
    if found is None:
        if request.method == "POST":
            raise HeaderRequired(HEADER)
        return None
    if _KEY.fullmatch(found) is None:
        fault = Invalid.field("/headers/idempotency-key", "kunci_tidak_sesuai")
        fault.status = 400
        raise fault
    return found


async def begin(transaction: AsyncExitStack, request: Request, actor: Actor, key: str) -> tuple[UnitOfWork, Claim]:
    """Begin the transaction and take the key, in one statement; a concurrent first use makes us wait here.

    Raises Replay when the command already ran, KeyReused when it was another command, Conflict (409) when the first
    one still runs after the lock time-out.
    """
    held, runtime = Claim(f"{actor.sub}|{actor.client}", key), request.app.state.runtime
    where = {"principal": held.principal, "key": held.key}
    fingerprint = await _fingerprint(request)
    route = f"{request.method} {request.scope['route'].path}"
    first = (_CLAIM, {**where, "route": route, "fingerprint": fingerprint, "kept": KEPT})
    try:
        uow: UnitOfWork = await transaction.enter_async_context(runtime.begin(actor, origin="api", first=first))
    except Exception as error:
        if sqlstate(error) == _LOCK_NOT_AVAILABLE:
            raise Conflict("permintaan_sedang_berjalan", retry_after=2) from error
        raise
    if uow.opened.first() is not None:
        failpoint("api.after_idempotency")
        return uow, held
    kept = (await uow.execute(_FIND, where)).first()
    if kept is None or kept.status is None:
        raise Conflict("permintaan_sedang_berjalan", retry_after=2)
    if bytes(kept.fingerprint) != fingerprint:
        raise KeyReused
    body = runtime.fields.open_bytes(bytes(kept.body), at=held.place)
    raise Replay(Response(body, kept.status, {**kept.headers, "Idempotency-Replayed": "true"}))


def store(uow: UnitOfWork, held: Claim, response: Response) -> None:
    """Keep the answer beside the effect, in the same transaction. A command therefore never answers with a stream."""
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    uow.record.answer = {
        "principal": held.principal, "key": held.key, "status": response.status_code, "headers": json.dumps(headers),
        "body": uow.runtime.fields.seal_bytes(bytes(response.body), at=held.place),
    }  # fmt: skip


async def _fingerprint(request: Request) -> bytes:
    """Method, address and canonical body: what makes two requests the same command."""
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    if request.headers.get("content-type", "").startswith("multipart/"):
        for name, value in (await request.form()).multi_items():
            digest.update(f"\n{name}=".encode())
            if isinstance(value, UploadFile):
                while chunk := await value.read(_CHUNK):
                    digest.update(chunk)
                await value.seek(0)
            else:
                digest.update(value.encode())
        return digest.digest()
    if body := await request.body():
        try:
            canonical = json.dumps(await request.json(), sort_keys=True, separators=(",", ":")).encode()
        except ValueError:
            canonical = body
        digest.update(canonical)
    return digest.digest()
