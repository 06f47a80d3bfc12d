"""A mail catcher: takes every mail of the demonstration, sends none, keeps them in a Maildir for `santun mail`."""

import argparse
import mailbox
import signal
import threading
from dataclasses import dataclass
from email.message import Message
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

MAX_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Mail:
    """A caught mail as a person reads it."""

    key: str
    when: str
    to: str
    subject: str
    text: str


def caught(folder: Path, limit: int = 50) -> list[Mail]:
    """The newest mails of the Maildir, newest first, at most `limit`."""
    if not (folder / "new").is_dir():
        return []
    box = mailbox.Maildir(folder, create=False)
    keys = sorted(box.keys(), key=lambda key: float(key.split(".")[0]) if key[:1].isdigit() else 0.0, reverse=True)
    return [_read(box, key) for key in keys[:limit]]


def _read(box: "mailbox.Maildir", key: str) -> Mail:
    import email

    message = email.message_from_bytes(box.get_bytes(key), policy=default)
    body = message.get_body(("plain", "html"))
    text = body.get_content() if body is not None else ""
    return Mail(key, _when(message), str(message["To"] or ""), str(message["Subject"] or ""), str(text).strip())


def _when(message: Message) -> str:
    try:
        return parsedate_to_datetime(str(message["Date"])).strftime("%Y-%m-%d %H:%M")
    except (ValueError, TypeError):
        return ""


def main(argv: list[str] | None = None) -> None:
    """Catch mails on the loopback address until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m stack.mail")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args(argv)
    options.folder.parent.mkdir(parents=True, exist_ok=True)
    controller = Controller(Mailbox(options.folder), hostname="127.0.0.1", port=options.port, data_size_limit=MAX_BYTES)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    controller.start()
    stop.wait()
    controller.stop()


if __name__ == "__main__":
    main()
