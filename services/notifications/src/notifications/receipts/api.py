"""The route for providers' receipts. It answers as soon as the raw receipt is stored; nothing is judged here."""

from typing import Annotated, Literal

from fastapi import Request
from kit.auth.scopes import public
from kit.errors import Unauthorized
from kit.http.api import Api
from kit.http.deps import Wired
from kit.http.models import Out
from kit.http.problems import problems

from notifications.receipts import commands

router = Api(prefix="/v1/receipts", tags=["receipts"])

SIGNATURE = "x-hub-signature-256"


class Stored(Out):
    """The receipt is safe."""

    stored: bool = True


@router.post("/{provider}", status_code=202, responses=problems(401, 413))
async def receive_receipt(
    provider: Literal["sms", "whatsapp", "smtp"],
    request: Request,
    wiring: Wired,
    _: Annotated[None, public("signed by the provider with the key of receipts (X-Hub-Signature-256)")],
) -> Stored:
    """Store a provider's receipt. 202 also for repeated ones and unknown references; 401 only for a bad signature."""
    body = await request.body()
    secret = wiring.settings.receipt_secret.get_secret_value()
    if not commands.signed(body, request.headers.get(SIGNATURE, ""), secret):
        raise Unauthorized
    await commands.keep(request.app.state.runtime, provider, body)
    return Stored()
