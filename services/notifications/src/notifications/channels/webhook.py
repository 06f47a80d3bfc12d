"""SMS and WhatsApp through a provider's HTTP API, behind one small port.

Call: `POST {url}/messages` with bearer token and `{reference, channel, to, text}`; 202 answers `{id}`. Question:
`GET {url}/messages/{reference}` answers `{id, status}`, 404 when the provider never got it. A real provider with another
shape is a small gateway that speaks this; WhatsApp receipts are read in Meta's own shape too (receipts/reading.py).
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from notifications.channels.outlets import Accepted, Outcome, Outgoing, RefusedForGood, RefusedForNow, Silent
from notifications.messages.states import LONGEST_RETRY_AFTER, Channel

_TAKEN = frozenset({200, 201, 202})
_FOR_NOW = frozenset({408, 425, 429, 503})
"""Answers that clearly say: not taken. Other 5xx may come from a proxy after the provider took it: unknown."""
_PAUSING = frozenset({429, 503})
_DEAD = frozenset({"nomor_tidak_dikenal", "nomor_mati", "bukan_whatsapp"})
_CODE_LENGTH = 40


class Webhook:
    """One provider for one channel. Never follows redirects: the address travels to the configured host only."""

    def __init__(
        self, *, name: str, channel: Channel, url: str, token: str, per_minute: int = 1200, seconds: float = 10
    ) -> None:
        self.name, self.per_minute = name, per_minute
        self._channel = channel
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(seconds, connect=5),
            follow_redirects=False,
            limits=httpx.Limits(max_connections=20),
        )

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Make the call once; what happened before the first byte is a clear refusal, after it a silence is unknown."""
        body = {
            "reference": str(outgoing.reference),
            "channel": self._channel.value,
            "to": outgoing.to,
            "text": outgoing.body,
        }
        try:
            answer = await self._client.post("/messages", json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return RefusedForNow("penyedia_tidak_terjangkau")
        except httpx.HTTPError as lost:
            return Silent("penyedia_diam" if isinstance(lost, httpx.TimeoutException) else "penyedia_terputus")
        return _outcome(answer)

    async def ask(self, reference: UUID, provider_ref: str | None) -> Outcome | None:  # noqa: ARG002 - the port asks
        """Ask by our own reference. A provider that never heard of it has not taken it: it may be sent again."""
        try:
            answer = await self._client.get(f"/messages/{reference}")
        except httpx.HTTPError:
            return None
        if answer.status_code == httpx.codes.NOT_FOUND:
            return RefusedForNow("penyedia_tidak_menerima")
        if answer.status_code != httpx.codes.OK:
            return None
        told = _json(answer)
        if told.get("status") == "failed":
            return _for_good(told)
        return Accepted(str(told["id"])[:120]) if told.get("id") else None

    async def close(self) -> None:
        """Close the pool."""
        await self._client.aclose()


def _outcome(answer: httpx.Response) -> Outcome:
    told = _json(answer)
    if answer.status_code in _TAKEN:
        return Accepted(str(told["id"])[:120]) if told.get("id") else Silent("penyedia_tanpa_nomor")
    if answer.status_code in _FOR_NOW:
        pausing = answer.status_code in _PAUSING
        return RefusedForNow(f"http_{answer.status_code}", _retry_after(answer), pause=pausing)
    if 400 <= answer.status_code < 500:  # noqa: PLR2004 - the client's fault
        return _for_good(told, f"http_{answer.status_code}")
    return Silent(f"http_{answer.status_code}")


def _for_good(told: dict[str, Any], fallback: str = "ditolak_penyedia") -> RefusedForGood:
    code = str(told.get("error") or fallback)[:_CODE_LENGTH]
    safe = code if code.replace("_", "").isalnum() and not code.isdigit() else fallback
    return RefusedForGood(safe, dead_address=safe in _DEAD)


def _retry_after(answer: httpx.Response) -> timedelta:
    """Seconds only; a date or nonsense counts as nothing, more than a day as a day."""
    text = answer.headers.get("retry-after", "")
    return min(timedelta(seconds=int(text)), LONGEST_RETRY_AFTER) if text.isdigit() and len(text) < 8 else timedelta(0)  # noqa: PLR2004


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
