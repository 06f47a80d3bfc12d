"""Alarms, runbooks and dashboards say what the system says: every series exists, every alarm has its page, every route in it."""

import json
import re
from importlib import import_module
from typing import Any

import pytest
import yaml
from kit import metrics
from stack.places import ROOT, SERVICES
from stack.watched import LIMITS, Limit

RUNBOOKS = ROOT / "docs/runbooks"
PAGES = ("README", "Restore")
"""Pages that no alarm leads to."""
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/observability/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
FIGURES = {figure.name: figure for service in SERVICES for figure in import_module(f"{service}.figures").FIGURES}
DASHBOARDS = sorted((ROOT / "deploy/observability/grafana").glob("*.json"))
_WORDS = {
    "by", "max", "min", "sum", "rate", "increase", "time", "service", "state", "name", "process", "status", "le", "route",
    "histogram_quantile", "job", "outcome", "dependency",
}  # fmt: skip


def _shown() -> list[str]:
    """Every expression of the dashboards."""
    found = []
    for file in DASHBOARDS:
        for panel in json.loads(file.read_text())["panels"]:
            found += [target["expr"] for target in panel.get("targets", ())]
    return found


def _series(expression: str) -> set[str]:
    plain = re.sub(r'"[^"]*"|\[[0-9a-z]+\]', "", expression)
    return set(re.findall(r"\b[a-z][a-z_]+\b", plain)) - _WORDS


def _known() -> set[str]:
    own = {sample.name for family in metrics.REGISTRY.collect() for sample in family.samples}
    own |= {family.name for family in metrics.REGISTRY.collect()}
    own |= {f"{family.name}_total" for family in metrics.REGISTRY.collect() if family.type == "counter"}
    own |= {
        f"{name}_{part}"
        for name in ("http_request_seconds", "outgoing_request_seconds")
        for part in ("bucket", "count", "sum")
    }
    return own | set(FIGURES) | {"up", "backup_last_success_seconds", "certificate_ends_seconds"}


@pytest.mark.parametrize("expression", [rule["expr"] for rule in RULES] + _shown())
def test_what_is_watched_is_told_by_somebody(expression: str) -> None:
    assert _series(expression) - _known() == set()


def test_every_figure_is_watched_by_somebody() -> None:
    watched = {name for expression in [*(rule["expr"] for rule in RULES), *_shown()] for name in _series(expression)}
    assert set(FIGURES) - watched == set()


def test_every_alarm_has_its_page_and_every_page_its_alarm() -> None:
    names = [rule["alert"] for rule in RULES]
    assert sorted(file.stem for file in RUNBOOKS.glob("*.md") if file.stem not in PAGES) == sorted(names)
    index = (RUNBOOKS / "README.md").read_text()
    for rule in RULES:
        assert rule["annotations"]["runbook"] == f"docs/runbooks/{rule['alert']}.md"
        assert rule["labels"]["severity"] in {"page", "day"}
        assert f"[{rule['alert']}]({rule['alert']}.md)" in index


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.alarm)
def test_the_doctor_asks_what_the_alarms_ask(limit: Limit) -> None:
    rule = next(rule for rule in RULES if rule["alert"] == limit.alarm)
    assert re.fullmatch(rf"max(?: by \(\w+\) )?\({limit.series}\) > {limit.most:.0f}", rule["expr"])


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("[A-Z]*.md")), ids=lambda path: path.stem)
def test_a_runbook_names_routes_that_there_are(page: Any) -> None:
    text = page.read_text()
    if page.stem != "README":
        heads = re.findall(r"^## (.*)$", text, re.MULTILINE)
        assert heads == ["What it means", "What to look at", "What to do", "How to know that it is over"]
    for method, service, path in re.findall(r"(GET|POST) /(\w+)(/v1/[^`?\s]+)", text):
        routes = json.loads((ROOT / f"contracts/{service}/openapi.json").read_text())["paths"]
        assert method.lower() in routes.get(path, {}), f"{method} /{service}{path}"
