"""The `santun` command. Every subcommand is a few lines here; what it does lives in the module it calls."""

import asyncio
import logging
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Annotated, Any

import httpx
import typer
from aiokafka.errors import KafkaError

from stack import containers, journal, processes, screen, timeline
from stack.screen import console
from stack.supervisor import Supervisor, down, held, start_apart
from stack.system import System
from stack.trouble import Trouble

app = typer.Typer(
    help="Santun on this machine: start it, look into it, stop it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
events = typer.Typer(help="Events on Kafka.", no_args_is_help=True)
clock = typer.Typer(help="The movable business clock of the demonstration.", no_args_is_help=True)
app.add_typer(events, name="events")
app.add_typer(clock, name="clock")

_EVENTS_ON_SCREEN = 60
_Containers = Annotated[bool, typer.Option("--containers", help="Of the system that docker compose runs from deploy/.")]


def main() -> None:
    """Run the command line; a Trouble becomes two plain sentences and exit code 1."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it has to say here is said in plain words
    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except Trouble as found:
        screen.trouble(found)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except (typer.Abort, BrokenPipeError):
        sys.exit(1)
    except Exception as error:  # click's own words about wrong usage; everything else is a defect and shows itself
        show = getattr(error, "show", None)
        if show is None:
            raise
        show()
        sys.exit(getattr(error, "exit_code", 2))


def _needs_running(system: System) -> System:
    if not held(system):
        raise Trouble("Santun is not running.", "Start it with: make up")
    if not (processes.listening(system.ports.postgres) and processes.listening(system.ports.kafka)):
        raise Trouble("Santun is just starting or stopping.", "Wait a moment, then try again.")
    return system


def _running(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command runs only on a running stack, which it gets first."""

    @wraps(command)
    def checked(*args: Any, **kwargs: Any) -> Any:
        _needs_running(System())
        return command(*args, **kwargs)

    return checked


@app.command()
def up(
    *,
    detach: Annotated[bool, typer.Option(help="Start in the background and return when all is ready.")] = False,
    story: Annotated[bool, typer.Option(help="Tell the story through the APIs if it was not told yet.")] = True,
) -> None:
    """Start everything, tell the story once, show where everything is, and stay until Ctrl-C."""
    system, say = System(), screen.Progress()
    if detach:
        start_apart(system, *(() if story else ("--no-story",)))
        say("Santun runs in the background; stop it with: make down")
        return
    supervisor = Supervisor(system, say)
    try:
        with supervisor.running():
            if story:
                _tell(system, say)
            screen.closing_page(system, _happened(system), say.seconds)
            supervisor.ready()
            supervisor.stay()
    except KeyboardInterrupt:
        say("Santun is stopped; its data stay. Start again with: make up")


def _tell(system: System, say: screen.Progress) -> None:
    """Tell the story; when a step of it fails, say so and leave the system running for whoever looks into it."""
    try:
        journal.tell_once(system, say)
    except (Trouble, httpx.HTTPError, ValueError, LookupError) as found:
        words = str(found) if isinstance(found, Trouble) else f"{type(found).__name__}: {found}"
        screen.trouble(Trouble(f"The story stopped: {words}", "The system runs on; the story goes on with: make story"))


def _happened(system: System) -> list[timeline.Fold]:
    """The events for the closing page; none when the broker is just being started again."""

    async def read() -> list[timeline.Fold]:
        async with asyncio.timeout(60):
            return await timeline.history(system.kafka.bootstrap, timeline.topic_names(), _EVENTS_ON_SCREEN)

    try:
        return asyncio.run(read())
    except (TimeoutError, KafkaError):
        return []


@app.command("down")
def down_() -> None:
    """Stop everything; the data stay."""
    down(System(), screen.Progress())


@app.command()
def status() -> None:
    """What runs, where it listens, what it lacks."""
    system = System()
    all_ready = screen.parts(system)
    console.print(f"\ndata in {system.data}; PostgreSQL keeps its files in {system.postgres.home}")
    if not held(system):
        console.print("Santun is not running. Start it with: make up")
    raise typer.Exit(0 if all_ready else 1)


@app.command()
@_running
def story() -> None:
    """Show what happened in the demonstration; tell the story first if it was not told yet."""
    system = System()
    journal.tell_once(system, screen.Progress())
    screen.folds(asyncio.run(timeline.history(system.kafka.bootstrap, timeline.topic_names(), 1_000)))


@app.command()
def logs(
    service: Annotated[str, typer.Argument(help="A service or part; empty: all of them.")] = "",
    *,
    trace: Annotated[str, typer.Option(help="Only lines of this trace id.")] = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=10_000)] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f")] = False,
    in_containers: _Containers = False,
) -> None:
    """What the parts say."""
    found = (
        containers.lines(service, trace=trace, count=lines, follow=follow)
        if in_containers
        else journal.lines(System(), service, trace=trace, count=lines, follow=follow)
    )
    for text in found:
        console.print(text, markup=False)


@events.command("tail")
@_running
def tail(
    topic: Annotated[str, typer.Argument(help="A topic; empty: all of them.")] = "",
    *,
    last: Annotated[
        int, typer.Option("--last", "-n", min=0, max=10_000, help="How many past events to show first.")
    ] = 20,
    follow: Annotated[bool, typer.Option(help="Stay and show new events.")] = True,
) -> None:
    """Events as they happen, each in a sentence."""
    known = timeline.topic_names()
    if topic and topic not in known:
        raise Trouble(f"There is no topic {topic!r}.", f"The topics: {', '.join(known)}")
    system = System()
    wanted = [topic] if topic else known

    async def show() -> None:
        screen.events(await timeline.recent(system.kafka.bootstrap, wanted, last) if last else [])
        if follow:
            async for entry in timeline.follow(system.kafka.bootstrap, wanted):
                console.print(screen.line(entry))

    asyncio.run(show())


@app.command()
def token(
    person: Annotated[str, typer.Argument(help="A person or machine of the demonstration.")] = "",
    *,
    all_: Annotated[bool, typer.Option("--list", help="Show who there is.")] = False,
) -> None:
    """Print an access token of a person (or machine) of the demonstration."""
    from stack.identities import directory
    from stack.office import fetch_token

    if all_ or not person:
        people = directory()
        for name, identity in {**people.persons, **people.clients}.items():
            console.print(f"{name:<20} {identity.about} {' '.join(identity.regions[:2])}", markup=False)
        return
    print(fetch_token(_needs_running(System()), person))


@app.command()
def mail(count: Annotated[int, typer.Option("--lines", "-n", min=1, max=200)] = 10) -> None:
    """The mails that were caught, newest first."""
    from stack.mail import caught

    found = caught(System().data / "mail", count)
    for item in found:
        console.rule(style="dim")
        console.print(f"{item.when}  to {item.to}\n{item.subject}\n\n{item.text}", markup=False)
    if not found:
        console.print("No mail was sent yet.")


@app.command()
def doctor(*, in_containers: _Containers = False) -> None:
    """Say what is wrong now and the next step."""
    from stack.doctor import examine

    findings = containers.examine() if in_containers else examine(System())
    for finding in findings:
        console.print(f"{'ok   ' if finding.good else 'WRONG'}  {finding.what}", markup=False)
        if finding.next_step:
            console.print(f"       {finding.next_step}", markup=False)
    raise typer.Exit(0 if all(finding.good for finding in findings) else 1)


@app.command()
@_running
def verify() -> None:
    """Whether the books of all services hold: every invariant, with what violates it."""
    raise typer.Exit(0 if journal.verify(System()) else 1)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@_running
def service(
    context: typer.Context, name: Annotated[str, typer.Argument(help="registry, disbursement, grants or notifications")]
) -> None:
    """Run a service's own command with the settings of this stack: `santun service registry parked list`."""
    raise typer.Exit(journal.service_command(System(), name, context.args))


@app.command()
def clean(*, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Stop everything and forget all data of the demonstration."""
    system = System()
    if sys.stdin.isatty() and not yes:
        typer.confirm(f"Forget everything in {system.data}?", abort=True)
    down(system, screen.Progress())
    journal.forget(system)
    console.print("Everything is forgotten.")


@clock.command("show")
def clock_show() -> None:
    """The business time, and how far it is from real time."""
    from stack.office import business_now

    now = business_now(System())
    console.print(f"{now.astimezone(timeline.OFFICE):%Y-%m-%d %H:%M:%S %Z}")


@clock.command("set")
def clock_set(
    instant: Annotated[str, typer.Argument(help="ISO 8601 with offset, such as 2025-12-30T08:00+07:00.")],
) -> None:
    """Move business time to an instant; it runs on from there."""
    from stack.office import move_clock

    try:
        to = datetime.fromisoformat(instant)
        move_clock(System(), to if to.tzinfo else to.replace(tzinfo=timeline.OFFICE))
    except ValueError as error:
        raise Trouble(f"{instant!r} is no instant.", "Write it so: 2025-12-30T08:00+07:00") from error
    clock_show()


@clock.command("advance")
def clock_advance(days: Annotated[float, typer.Argument(help="How many days.")]) -> None:
    """Move business time on."""
    from stack.office import business_now, move_clock

    system = System()
    move_clock(system, business_now(system) + timedelta(days=days))
    clock_show()


@clock.command("reset")
def clock_reset() -> None:
    """Back to real time."""
    (System().data / "clock").unlink(missing_ok=True)
    clock_show()
