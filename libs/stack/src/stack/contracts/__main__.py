"""`python -m stack.contracts`: the commands of the maintainers of `contracts/`."""

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from stack.contracts import asyncapi, catalogue, dialect, gate, http_gate, openapi, pages, realm
from stack.members import member
from stack.places import CONTRACTS, ROOT, SERVICES

BASELINE = CONTRACTS / "baseline.json"
app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def render() -> None:
    """Write contracts/<service>/asyncapi.yaml, docs/events.md and the realms of deploy/keycloak."""
    files = {CONTRACTS / path: text for path, text in asyncapi.rendered().items()} | {
        ROOT / pages.PAGE: pages.events_page(),
        **realm.rendered(),
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    typer.echo(f"{len(files)} files written")


@app.command(name="openapi")
def snapshots(services: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Write contracts/<service>/openapi.json from the services' applications (all, or those named)."""
    for service in services or openapi.present():
        openapi.path(service).write_text(openapi.snapshot(service), "utf-8")
        typer.echo(f"{service}: written")


@app.command()
def readers() -> None:
    """Write into the catalogue which services read which topic, as their handlers say; other readers stay."""
    catalog = CONTRACTS / "catalog.yaml"
    text = catalog.read_text("utf-8")
    for topic in catalogue.topics():
        handling = [s for s in openapi.present() if s != topic["owner"] and _handles(s, topic)]
        named = ", ".join(handling + [reader for reader in topic["readers"] if reader not in SERVICES])
        head, mark, rest = text.partition(f"  - topic: {topic['topic']}\n")
        text = head + mark + re.sub(r"readers: \[.*?\]", f"readers: [{named}]", rest, count=1)
    catalog.write_text(text, "utf-8")


def _handles(service: str, topic: dict[str, Any]) -> bool:
    types = {f"org.santun.{topic['owner']}.{event['name']}.v{event['version']}" for event in topic["events"]}
    return bool(types & set(member(service).handlers))


@app.command()
def check() -> None:
    """Say what is outside the dialect, what looks personal, and what would break a reader since the last release."""
    found = faults()
    for fault in found:
        typer.echo(fault)
    typer.echo(f"{len(found)} faults" if found else "nothing to object to")
    raise typer.Exit(1 if found else 0)


@app.command()
def release() -> None:
    """Make what stands in contracts/ the new baseline: from now on it may only grow."""
    made = {
        "events": gate.released(catalogue.events()),
        "http": {s: released_http(s) for s in SERVICES if openapi.path(s).exists()},
    }
    BASELINE.write_text(lines(made, depth=4) + "\n", "utf-8")
    typer.echo(f"{len(made['events'])} event versions, {len(made['http'])} interfaces")


def lines(node: Any, depth: int) -> str:
    """JSON with one line for each thing `depth` levels down: small, and a change shows where it is."""
    if depth == 0 or not isinstance(node, dict) or not node:
        return json.dumps(node, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {lines(node[name], depth - 1)}" for name in sorted(node)) + "\n}"


def baseline() -> dict[str, Any]:
    """What was released last."""
    read: dict[str, Any] = json.loads(BASELINE.read_text("utf-8"))
    return read


def released_http(service: str) -> Any:
    """The snapshot of a service in the form the baseline keeps."""
    return http_gate.normal(json.loads(openapi.path(service).read_text("utf-8")))


def faults() -> list[str]:
    """Everything `check` objects to."""
    entries = list(catalogue.events())
    found = [
        f"{e.type}{f}" for e in entries for f in dialect.faults(e.schema) + dialect.personal(e.schema, e.classification)
    ]
    before = baseline()
    found += gate.breaks(before["events"], entries, datetime.now(UTC).date())
    for service, old in before["http"].items():
        found += [f"{service}: {broken}" for broken in http_gate.Comparison(old, released_http(service)).breaks()]
    return found


if __name__ == "__main__":
    app()
