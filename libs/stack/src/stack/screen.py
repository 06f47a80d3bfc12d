"""What a person sees: lines of progress, tables of parts and events, and the page that closes `santun up`."""

import time
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stack.identities import directory
from stack.system import System
from stack.timeline import Entry, Fold
from stack.trouble import Trouble

console = Console(highlight=False, soft_wrap=True)
_WORDS = {
    "registry": "who people are: persons, families, deaths, accounts",
    "disbursement": "who is entitled and who was paid",
    "grants": "which institution was funded",
    "notifications": "who was told",
}


class Progress:
    """Says one line at a time with the seconds since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def __call__(self, text: str) -> None:
        """Say it."""
        console.print(Text(f"[{self.seconds:5.1f} s] {text}"))


def trouble(found: Trouble) -> None:
    """Print what is wrong and what to do."""
    console.print(Text(f"\n{found.what}", style="red"))
    if found.next_step:
        console.print(Text(found.next_step))


def events(entries: Iterable[Entry]) -> None:
    """Print events, one line each: business time at the office, topic, key, sentence."""
    for entry in entries:
        console.print(line(entry))


def folds(found: Iterable[Fold]) -> None:
    """Print what happened, events of one kind and moment on one line."""
    for fold in found:
        text = line(fold.first)
        console.print(text.append(f"  (and {fold.count - 1:,} more)", style="dim") if fold.count > 1 else text)


def line(entry: Entry) -> Text:
    """One event as a line."""
    return Text.assemble(
        (f"{entry.at:%Y-%m-%d %H:%M}  ", "dim"),
        (f"{entry.topic:<26} ", "cyan"),
        (f"{entry.key[-6:]} ", "dim"),
        f"{entry.sentence}",
    )


def parts(system: System) -> bool:
    """Print a table of all parts; True when every one is ready."""
    table = Table(box=None, pad_edge=False)
    for column in ("part", "state", "address", "process"):
        table.add_column(column)
    all_ready = True
    for part in system.parts:
        child = part.child()
        lacks = part.ready() if part.alive else "stopped"
        all_ready = all_ready and not lacks
        table.add_row(
            part.name,
            lacks or "ready",
            f"127.0.0.1:{part.port}",
            str(child.pid) if child and child.alive else "",
        )
    console.print(table)
    return all_ready


def closing_page(system: System, happened: Sequence[Fold], seconds: float) -> None:
    """The page after a start: what happened, where everything is, and the first things to try."""
    console.rule(f"Santun runs, ready after {seconds:.0f} s")
    if happened:
        console.print("\nWhat happened (time at the office, topic, end of the key, in a sentence):\n", style="bold")
        folds(happened)
    console.print("\nThe APIs (each with its pages at /docs):\n", style="bold")
    for name in system.members:
        console.print(Text(f"  {system.url(name)}/docs    {name}: {_WORDS[name]}"))
    console.print("\nThe first call (persons: santun token --list):\n", style="bold")
    console.print(Text(first_call(system)))
    console.print("\nAnd then:\n", style="bold")
    for command, about in (
        ("santun events tail", "every event as it happens; also: santun events tail registry.death"),
        ("santun mail", "the mails that were sent"),
        ("santun logs registry", "what a service says; also: santun logs --trace ID"),
        ("santun verify", "whether the books of all services hold"),
        ("santun doctor", "what is wrong now, and the next step"),
        ("make down", "stop (or Ctrl-C here); the data stay in " + str(system.data)),
    ):
        console.print(
            Text(f"  .venv/bin/{command:<22} {about}" if command.startswith("santun") else f"  {command:<32} {about}")
        )
    console.print()


def first_call(system: System) -> str:
    """Two lines for a shell that fetch a token and make a call; they work as they stand."""
    people = directory()
    return (
        f"  TOKEN=$(curl -s {system.url('idp')}/token -d grant_type=password -d client_id={people.console} \\\n"
        f'    -d username=verifikator -d password={people.password} | sed \'s/.*"access_token":"\\([^"]*\\)".*/\\1/\')\n'
        f'  curl -s "{system.url("registry")}/v1/deaths?limit=5" -H "Authorization: Bearer $TOKEN"'
    )
