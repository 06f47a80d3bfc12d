"""Every event has a producer and a test; every role, scope, setting and reason that code names is declared."""

import importlib
import re

import pytest
import yaml
from architecture.tree import ROOT, SERVICES, sources
from stack.docs import tables

CONTRACTS = ROOT / "contracts"


def catalogue() -> list[tuple[str, str]]:
    topics = yaml.safe_load((CONTRACTS / "catalog.yaml").read_text())["topics"]
    return [(topic["owner"], event["name"]) for topic in topics for event in topic["events"]]


def text_of(*places: str) -> str:
    return "\n".join(file.read_text() for place in places for file in (ROOT / place).rglob("*.py"))


@pytest.mark.parametrize("service", SERVICES)
def test_every_event_of_the_catalogue_is_produced(service: str) -> None:
    code = text_of(f"services/{service}/src", "libs/kit/src")
    moves = {move.event for name, moves in tables() if name.startswith(f"{service}.") for move in moves if move.event}
    moves |= {f"notification.{event}" for event in moves}
    missing = [n for owner, n in catalogue() if owner == service and n not in moves and f'"{n}"' not in code]
    assert not missing, f"no code of {service} announces {missing}"


@pytest.mark.parametrize("service", SERVICES)
def test_every_scope_and_role_in_code_is_declared(service: str) -> None:
    scopes = set(yaml.safe_load((CONTRACTS / "scopes.yaml").read_text())["scopes"])
    used = set(re.findall(r'requires\(\s*"([^"]+)"', text_of(f"services/{service}/src")))
    assert used, f"{service} asks for no scope at all"
    assert used <= scopes, used - scopes


def test_every_reason_in_code_has_a_text() -> None:
    texts = set(yaml.safe_load((CONTRACTS / "reference" / "reasons.yaml").read_text()))
    named = re.compile(
        r'(?:Reason\(|Reason\.of\(|Refusal\.because\(|Conflict\(|Invalid\.field\(\s*f?"[^"]*",)\s*"([a-z_0-9]+)"'
    )
    missing = {
        f"{code} ({file.relative_to(ROOT)})"
        for file in sources()
        for code in named.findall(file.read_text())
        if code not in texts
    }
    assert not missing, missing


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_says_what_it_is_for(service: str) -> None:
    settings = importlib.import_module(f"{service}.settings").Settings
    silent = [name for name, field in settings.model_fields.items() if not (field.description or "").endswith(".")]
    assert not silent
