"""Renders `docs/events.md` from the catalogue: every topic and event for people who read before they subscribe."""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from stack.contracts import catalogue
from stack.contracts.catalogue import EventEntry

PAGE = "docs/events.md"
_HEAD = """<!-- Rendered from contracts/catalog.yaml by `python -m stack.contracts render`; do not edit. -->
# Events

Every topic and every event, as `contracts/catalog.yaml` and the schemas have them. How to subscribe, what order and
repetition mean, and what to do past retention stand in [partners.md](partners.md); what may change and what may not, in
[contracts/README.md](../contracts/README.md).

Wire type: `org.santun.<service>.<event>.v<version>`. Key of every message: the id in the field named *key*. Money is a whole
number of rupiah. Fields marked *optional* are absent when there is nothing to say, never null. Values listed as *known* may
become more: treat an unknown one as "something else".
"""


def events_page() -> str:
    """The whole page."""
    lines = [_HEAD]
    entries = list(catalogue.events())
    lines += ["| topic | key | kept | classification | events | read by |", "| --- | --- | --- | --- | --- | --- |"]
    for topic in catalogue.topics():
        anchor = topic["topic"].replace(".", "")
        lines.append(
            f"| [{topic['topic']}](#{anchor}) | `{topic['key']}` | {topic['retention_days']} days | {topic['classification']}"
            f" | {len(topic['events'])} | {', '.join(topic['readers'])} |"
        )
    for _, group in groupby(entries, key=lambda entry: entry.topic["topic"]):
        lines += _topic(list(group))
    return "\n".join(lines) + "\n"


def _topic(entries: list[EventEntry]) -> Iterator[str]:
    topic = entries[0].topic
    yield f"\n## {topic['topic']}\n"
    yield f"{topic['description']}\n"
    yield "| event | what happened | in a clerk's words |\n| --- | --- | --- |"
    for entry in entries:
        gone = f" **Deprecated, ends {entry.entry['sunset']}.**" if "sunset" in entry.entry else ""
        yield f"| `{entry.name}` v{entry.version} | {entry.entry['description']}{gone} | {entry.entry['sentence_id']} |"
    yield "\n| field | type | meaning | in |\n| --- | --- | --- | --- |"
    yield from _fields(entries)
    shown = max(entries, key=lambda entry: len(entry.schema["examples"][0]))
    example = json.dumps(shown.schema["examples"][0], ensure_ascii=False, indent=2)
    yield f"\n`{shown.name}`, for example:\n\n```json\n{example}\n```"


def _fields(entries: list[EventEntry]) -> Iterator[str]:
    names = list(dict.fromkeys(name for entry in entries for name in entry.schema["properties"]))
    for name in names:
        holding = [entry for entry in entries if name in entry.schema["properties"]]
        always = [entry for entry in holding if name in entry.schema["required"]]
        where = "all" if len(holding) == len(entries) else ", ".join(f"`{entry.name}`" for entry in holding)
        if len(always) < len(holding):
            must = ", ".join(f"`{entry.name}`" for entry in always)
            where += f" (always in {must})" if always else " (optional)"
        meanings = dict.fromkeys(entry.schema["properties"][name].get("description", "") for entry in holding)
        values = list(dict.fromkeys(v for e in holding for v in _known(e.schema["properties"][name])))
        known = f" Known: {', '.join(f'`{value}`' for value in values)}." if values else ""
        yield f"| `{name}` | {_kind(holding[0].schema['properties'][name])} | {' / '.join(meanings)}{known} | {where} |"


def _known(schema: Mapping[str, Any]) -> list[str]:
    return list(schema.get("x-values") or schema.get("items", {}).get("x-values", ()))


def _kind(schema: Mapping[str, Any]) -> str:
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'])} (at most {schema['maxItems']})"
    if schema["type"] == "object":
        return "{" + ", ".join(schema["properties"]) + "}"
    return str(schema.get("format", {"string": "text", "integer": "whole number", "boolean": "yes/no"}[schema["type"]]))
