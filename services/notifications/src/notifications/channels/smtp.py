"""E-mail over SMTP. The phases of the dialogue tell a clear refusal from an unknown outcome: only after DATA is it unknown."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import Literal
from uuid import UUID

import aiosmtplib
from kit.clock import Clock

from notifications.channels.outlets import Accepted, Outcome, Outgoing, RefusedForGood, RefusedForNow, Silent

_PERMANENT = 500
_MAILBOX_GONE = frozenset({550, 551, 553})
_BUSY = 421
_PAUSE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Relay:
    """The office's mail server."""

    host: str
    port: int
    user: str
    password: str
    tls: Literal["none", "starttls", "tls"]
    sender: str
    """Address in From; its domain stands in every Message-ID."""
    sender_name: str
    timeout_seconds: float = 20


class Smtp:
    """Sends one mail per connection: simple, and a broken connection concerns one message only."""

    def __init__(self, relay: Relay, clock: Clock, *, name: str = "smtp", per_minute: int = 600) -> None:
        self.name, self.per_minute = name, per_minute
        self._relay, self._clock = relay, clock

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Hand one mail to the relay; the Message-ID is that of the message, so a repeated mail is recognised."""
        try:
            mail = self._mail(outgoing)
            async with self._connection() as smtp:
                await smtp.mail(self._relay.sender)
                await smtp.rcpt(outgoing.to)
                return await self._data(smtp, mail)
        except aiosmtplib.SMTPResponseException as refused:
            return _refusal(refused)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as lost:
            return RefusedForNow("server_surel_tidak_terjangkau" if _unreachable(lost) else "server_surel_terputus")
        except (UnicodeError, ValueError):
            return RefusedForGood("alamat_tidak_sah", dead_address=True)

    async def ask(self, reference: UUID, provider_ref: str | None) -> Outcome | None:  # noqa: ARG002 - the port asks
        """SMTP has no such question; a repeated Message-ID is harmless instead."""
        return None

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _data(self, smtp: aiosmtplib.SMTP, mail: EmailMessage) -> Outcome:
        try:
            await smtp.data(mail.as_bytes())
        except aiosmtplib.SMTPResponseException as refused:
            return _refusal(refused)
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            return Silent("surel_tanpa_jawaban")
        return Accepted(str(mail["Message-ID"]))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[aiosmtplib.SMTP]:
        relay = self._relay
        smtp = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            timeout=relay.timeout_seconds,
            use_tls=relay.tls == "tls",
            start_tls=relay.tls == "starttls",
        )
        await smtp.connect()
        try:
            if relay.user:
                await smtp.login(relay.user, relay.password)
            else:
                await smtp.ehlo()
            yield smtp
        finally:
            smtp.close()

    def _mail(self, outgoing: Outgoing) -> EmailMessage:
        mail = EmailMessage()
        domain = self._relay.sender.rpartition("@")[2]
        mail["From"] = formataddr((self._relay.sender_name, self._relay.sender))
        mail["To"] = outgoing.to
        mail["Subject"] = outgoing.subject
        mail["Message-ID"] = f"<{outgoing.message_id}@{domain}>"
        mail["Date"] = format_datetime(self._clock.now())
        mail["Content-Language"] = outgoing.locale
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(outgoing.body, cte="8bit" if outgoing.body.isascii() else "quoted-printable")
        return mail


def _refusal(refused: aiosmtplib.SMTPResponseException) -> Outcome:
    """4xx may pass, 5xx will not; the reply's text is never kept, it repeats the address."""
    if refused.code >= _PERMANENT:
        return RefusedForGood(f"smtp_{refused.code}", dead_address=refused.code in _MAILBOX_GONE)
    busy = refused.code == _BUSY
    return RefusedForNow(f"smtp_{refused.code}", _PAUSE if busy else timedelta(0), pause=busy)


def _unreachable(lost: BaseException) -> bool:
    return isinstance(lost, aiosmtplib.SMTPConnectError | OSError)
