"""The mail channel against a real mail server that refuses, falls silent and hangs up in every phase."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from kit.clock import Clock
from kit.ids import new_id
from notifications.channels.outlets import Accepted, Outgoing, RefusedForGood, RefusedForNow, Silent
from notifications.channels.smtp import Relay, Smtp


class Server:
    """A mail server; `rcpt` and `data` say how it answers."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.rcpt = "250 OK"
        self.data: Callable[[Any], str] = lambda _: "250 OK"

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 - aiosmtpd's name
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802 - aiosmtpd's name
        self.mails.append(envelope.content)
        return self.data(server)


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[Smtp]:
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: SMTP(server, enable_SMTPUTF8=True), "127.0.0.1", 0)
    async with listening:
        yield Smtp(relay(listening.sockets[0].getsockname()[1]), Clock(zone="Asia/Jakarta"))


def relay(port: int) -> Relay:
    return Relay("127.0.0.1", port, "", "", "none", "pemberitahuan@dinsos.example", "Dinas Sosial, Kota", 2)


def letter(to: str = "warga@contoh.id") -> Outgoing:
    return Outgoing(new_id(), new_id(), to, "Bantuan telah masuk", "Bapak/Ibu – terima kasih.\n")


async def test_a_mail_keeps_its_message_id_over_attempts():
    server, mail = Server(), letter()
    async with running(server) as smtp:
        first, second = await smtp.send(mail), await smtp.send(mail)
    assert first == second == Accepted(f"<{mail.message_id}@dinsos.example>")
    read = message_from_bytes(server.mails[0], policy=default)
    assert read["Message-ID"] == f"<{mail.message_id}@dinsos.example>"
    assert read["From"].addresses[0].display_name == "Dinas Sosial, Kota"
    assert "terima kasih" in read.get_content()


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("450 4.2.0 greylisted", RefusedForNow("smtp_450")),
        ("421 4.3.2 busy", RefusedForNow("smtp_421", timedelta(minutes=2), pause=True)),
        ("550 5.1.1 no such user", RefusedForGood("smtp_550", dead_address=True)),
        ("554 5.7.1 policy", RefusedForGood("smtp_554", dead_address=False)),
    ],
)
async def test_a_refused_recipient_is_a_clear_refusal(reply, outcome):
    server = Server()
    server.rcpt = reply
    async with running(server) as smtp:
        assert await smtp.send(letter()) == outcome
    assert server.mails == []


async def test_a_server_that_hangs_up_after_the_text_leaves_the_outcome_unknown():
    server = Server()

    def hang_up(smtp_server: Any) -> str:
        smtp_server.transport.abort()
        return "250 OK"

    server.data = hang_up
    async with running(server) as smtp:
        assert await smtp.send(letter()) == Silent("surel_tanpa_jawaban")
    assert len(server.mails) == 1


async def test_a_server_that_is_not_there_is_tried_again_later():
    assert await Smtp(relay(1), Clock(zone="Asia/Jakarta")).send(letter()) == RefusedForNow(
        "server_surel_tidak_terjangkau"
    )


async def test_an_address_with_a_line_break_never_reaches_the_server():
    server = Server()
    async with running(server) as smtp:
        assert await smtp.send(letter("a@b.id\nBcc: c@d.id")) == RefusedForGood("alamat_tidak_sah", dead_address=True)
    assert server.mails == []


def test_neither_address_nor_text_stand_in_the_text_form():
    assert "warga" not in repr(letter())
    assert "kasih" not in repr(letter())
