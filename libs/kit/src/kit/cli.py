"""The command line of a service: `registry api | relay | consume | work | all | migrate | check-config | ...`."""

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from kit import invariants, logs, telemetry
from kit.auth.actor import Actor
from kit.db import audit, migrate
from kit.errors import Problem
from kit.events import access, parked
from kit.events import topics as topic_maker
from kit.events.schemas import contracts as read_contracts
from kit.runtime import Runtime
from kit.service import Processes, Service
from kit.settings import Base, SettingsError, load, table

PARTS = ("api", "relay", "consume", "work")


def main(service: Service) -> None:
    """Run the service's command line on `sys.argv`; what `<service>.__main__.run` calls."""
    app = typer.Typer(name=service.name, help=service.title, no_args_is_help=True, pretty_exceptions_enable=False)
    _processes(app, service)
    _maintenance(app, service)
    _parked(app, service)
    try:
        app()
    except SettingsError as wrong:
        sys.stderr.write(f"{wrong}\n")
        sys.exit(2)


def _processes(app: typer.Typer, service: Service) -> None:
    def start(parts: tuple[str, ...]) -> Callable[[], None]:
        def command() -> None:
            settings = _load(service)

            async def run() -> None:
                await Processes(service, service.runtime(settings)).run(parts)

            asyncio.run(run())

        return command

    for part in PARTS:
        app.command(part, help=f"Run the {part} process.")(start((part,)))
    app.command("all", help="Run api, relay, consumers and workers in one process.")(start(PARTS))

    @app.command(help="Run some of them in one process: run consume work.")
    def run(parts: list[str]) -> None:
        if unknown := set(parts) - set(PARTS):
            raise typer.BadParameter(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
        start(tuple(parts))()


def _maintenance(app: typer.Typer, service: Service) -> None:
    @app.command(help="Bring the database to the newest shape (owner role).")
    def migrate_database() -> None:
        settings = _load(service)
        if settings.database_owner_url is None:
            raise SettingsError(["DATABASE_OWNER_URL is missing. The migrate command needs the owner role."])
        asyncio.run(migrate.upgrade(service.migrations, settings.database_owner_url.get_secret_value()))

    app.registered_commands[-1].name = "migrate"

    @app.command(help="Make the topics of the catalogue and let its readers in (Kafka's administrator).")
    def topics(replication: int = 1) -> None:
        settings = _load(service)
        contracts = read_contracts(settings.contracts_dir)

        async def work() -> None:
            made = await topic_maker.create(settings.kafka(), contracts, replication=replication)
            added, taken = await access.agree(settings.kafka(), access.grants(contracts))
            typer.echo(f"{len(made)} topics made, {added} permissions given, {taken} taken back")

        asyncio.run(work())

    @app.command("check-config", help="Say which settings are in force and what each is for.")
    def check_config() -> None:
        for name, value, about in table(_load(service)):
            typer.echo(f"{name}={value}\n    {about}")

    @app.command(help="Publish retained events again, with the same ids, from a time on (ISO 8601).")
    def replay(since: Annotated[str, typer.Option("--from")], until: Annotated[str, typer.Option("--to")] = "") -> None:
        start = datetime.fromisoformat(since)
        end = datetime.fromisoformat(until) if until else datetime.now(UTC)

        async def work(runtime: Runtime) -> None:
            sent = await Processes(service, runtime).relay.replay(start, end)
            typer.echo(f"{sent} events published again")

        _with_runtime(service, work)

    @app.command(help="Check every invariant of this service's data; exit code 1 when one is violated.")
    def verify() -> None:
        violated = False

        async def work(runtime: Runtime) -> None:
            nonlocal violated
            for name, found in (await invariants.check(service, runtime)).items():
                typer.echo(f"{'ok      ' if not found else 'VIOLATED'}  {service.name}  {name}")
                for line in found[:20]:
                    typer.echo(f"          {line}")
                violated = violated or bool(found)

        _with_runtime(service, work)
        if violated:
            raise typer.Exit(1)

    @app.command("audit-export", help="Write the sealed audit trail as JSON lines; audit_verify.py checks it.")
    def audit_export(path: Path) -> None:
        lines: list[str] = []

        async def work(runtime: Runtime) -> None:
            lines.extend(await audit.export(runtime))

        _with_runtime(service, work)
        path.write_text("\n".join(lines) + "\n")
        typer.echo(f"{len(lines)} lines")


def _parked(app: typer.Typer, service: Service) -> None:
    group = typer.Typer(help="Messages that could not be handled.", no_args_is_help=True)
    app.add_typer(group, name="parked")

    @group.command("list", help="Show the waiting messages, oldest first.")
    def list_parked() -> None:
        async def work(runtime: Runtime) -> None:
            async with runtime.begin(Actor.system("parked-list")) as uow:
                for item in await parked.listing(uow):
                    typer.echo(
                        f"{item.id}  {item.parked_at:%Y-%m-%d %H:%M:%S}  {item.topic}/{item.partition}@{item.offset}"
                        f"  key {item.key}  {item.reason} {item.detail}"
                    )

        _with_runtime(service, work)

    @group.command(help="Handle a message and those behind it again.")
    def redrive(id: UUID, by: Annotated[str, typer.Option(help="Who decides this.")]) -> None:
        async def work(runtime: Runtime) -> None:
            async with runtime.begin(Actor.system("redrive")) as uow:
                place = await parked.key_of(uow, id)
            if place is None:
                raise typer.BadParameter("no such waiting message")
            done = await Processes(service, runtime).consumer.redrive(*place, by=by)
            typer.echo(f"{done} messages handled")

        _with_runtime(service, work)

    @group.command(help="Give a message up, with a reason; it is kept and audited.")
    def discard(id: UUID, by: Annotated[str, typer.Option()], why: Annotated[str, typer.Option()]) -> None:
        async def work(runtime: Runtime) -> None:
            async with runtime.begin(Actor.system("discard")) as uow:
                if not await parked.resolve(uow, id, state="discarded", by=by, why=why):
                    raise typer.BadParameter("no such waiting message")

        _with_runtime(service, work)


def _load(service: Service) -> Base:
    settings = load(service.settings)
    logs.configure(service.name, level=settings.log_level, form=settings.log_format)
    telemetry.configure(service.name, settings.otlp_endpoint)
    return settings


def _with_runtime(service: Service, work: Callable[[Runtime], object]) -> None:
    """Run something once on a runtime of its own, and close it; a Problem becomes one plain line."""
    settings = _load(service)

    async def run() -> None:
        runtime = service.runtime(settings)
        try:
            await work(runtime)  # type: ignore[misc]
        finally:
            await runtime.close()

    try:
        asyncio.run(run())
    except Problem as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None
