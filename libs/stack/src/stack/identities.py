"""Who may sign in at the demonstration, and the claims their tokens carry (decisions.md, "People, roles, tokens").

The identity provider and the tests' tokens both come here, so that they never differ. Data: `demo/persons.yaml`,
`contracts/roles.yaml`, `contracts/regions`.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from stack.places import CONTRACTS

AUDIENCE: Final = "santun"
PERSONS: Final = Path(__file__).with_name("demo") / "persons.yaml"


@dataclass(frozen=True, slots=True)
class Identity:
    """A person's account, or a machine: the claims that do not change from token to token."""

    sub: str
    about: str
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    unit: str | None = None
    person_id: str | None = None

    def claims(self, client: str, scopes: Iterable[str]) -> dict[str, Any]:
        """The claims of a token for this identity through `client`; absent ones are left out."""
        known: dict[str, Any] = {
            "aud": AUDIENCE,
            "sub": self.sub,
            "azp": client,
            "scope": " ".join(scopes),
            "roles": list(self.roles),
        }
        optional = {"regions": list(self.regions), "unit": self.unit, "person_id": self.person_id}
        return known | {name: value for name, value in optional.items() if value}


@dataclass(frozen=True, slots=True)
class Directory:
    """All persons and machines of the demonstration."""

    persons: Mapping[str, Identity]
    clients: Mapping[str, Identity]
    password: str
    console: str
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@lru_cache(maxsize=1)
def directory() -> Directory:
    """Read the data once. Raises KeyError with its name when a person has a role that contracts/roles.yaml lacks."""
    demo = yaml.load(PERSONS.read_text(), Loader=yaml.CSafeLoader)
    contract = yaml.load((CONTRACTS / "roles.yaml").read_text(), Loader=yaml.CSafeLoader)
    roles = {code: tuple(role["scopes"]) for code, role in contract["roles"].items()}
    persons = {
        name: Identity(
            sub=name,
            about=found["about"],
            roles=tuple(found["roles"]),
            scopes=scopes_of(found["roles"], roles),
            regions=tuple(found.get("regions", ())),
            unit=found.get("unit"),
            person_id=found.get("person_id"),
        )
        for name, found in demo["persons"].items()
    }
    clients = {name: _client(name, found, demo["clients"].get(name, {})) for name, found in contract["clients"].items()}
    return Directory(persons, clients, demo["password"], demo["client"], roles)


def scopes_of(roles: Iterable[str], known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The scopes that these roles carry together, in a stable order."""
    return tuple(sorted({scope for role in roles for scope in known[role]}))


def _client(name: str, contract: Mapping[str, Any], demo: Mapping[str, Any]) -> Identity:
    regions = demo.get("regions") or (everywhere() if contract.get("regions") == "all" else ())
    return Identity(
        sub=name,
        about=contract["name_en"],
        scopes=tuple(contract["scopes"]),
        regions=tuple(regions),
        unit=demo.get("unit"),
    )


@lru_cache(maxsize=1)
def everywhere() -> tuple[str, ...]:
    """The codes of all provinces: together they cover every region."""
    with (CONTRACTS / "regions" / "kemendagri.csv").open(newline="") as file:
        return tuple(row["code"] for row in csv.DictReader(file) if "." not in row["code"])
