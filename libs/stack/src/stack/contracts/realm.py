"""The Keycloak realm whose tokens say the same as those of the development issuer: from contracts/roles.yaml and the demonstration's people.

A permission is a client scope that Keycloak grants to who has one of the roles it is mapped to. Two files are rendered:
one with the people of the demonstration and their known password, and one without, for an office that means it.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stack.identities import AUDIENCE, Directory, Identity, directory
from stack.places import ROOT

FOLDER = ROOT / "deploy" / "keycloak"
CLAIMS = "santun"
"""The client scope that carries the claims of persons and machines alike."""
PASSWORDS = "length(12) and notUsername and notEmail and passwordHistory(3)"
"""What Keycloak asks of a password that somebody chooses."""
_ATTRIBUTES = ("regions", "unit", "person_id")


def rendered() -> dict[Path, str]:
    """Path and text of both realm files."""
    texts = {"realm": realm(demonstration=False), "realm-demo": realm(demonstration=True)}
    return {
        FOLDER / folder / "santun-realm.json": json.dumps(found, indent=1, ensure_ascii=False) + "\n"
        for folder, found in texts.items()
    }


def realm(*, demonstration: bool) -> dict[str, Any]:
    """The realm as Keycloak imports it; `${NAME}` is filled in by Keycloak from its environment."""
    known = directory()
    return {
        "realm": "santun",
        "displayName": "Santun",
        "enabled": True,
        "sslRequired": "external",
        "registrationAllowed": False,
        "editUsernameAllowed": False,
        "bruteForceProtected": True,
        **({} if demonstration else {"passwordPolicy": PASSWORDS}),
        "accessTokenLifespan": 300 if not demonstration else 3_600,
        "internationalizationEnabled": True,
        "supportedLocales": ["id", "en"],
        "defaultLocale": "id",
        "roles": {"realm": [{"name": name} for name in sorted({*known.roles, *map(_machine, known.clients)})]},
        "clientScopes": [_claims(), *_permissions(known)],
        "scopeMappings": _mapped(known),
        "clients": [_console(known, demonstration=demonstration), *_machines(known)],
        "users": [*map(_service_account, _with_secret(known)), *(_people(known) if demonstration else ())],
        "components": {"org.keycloak.userprofile.UserProfileProvider": [_profile()]},
    }


def _with_secret(known: Directory) -> list[Identity]:
    return [machine for name, machine in known.clients.items() if name != known.console]


def _machine(client: str) -> str:
    """The role of a machine: what maps permissions to its service account."""
    return f"machine:{client}"


def _permissions(known: Directory) -> list[dict[str, Any]]:
    scopes = {scope for role in known.roles.values() for scope in role}
    scopes |= {scope for machine in known.clients.values() for scope in machine.scopes}
    return [
        {"name": scope, "protocol": "openid-connect", "attributes": {"include.in.token.scope": "true", "display.on.consent.screen": "false"}}
        for scope in sorted(scopes)
    ]  # fmt: skip


def _mapped(known: Directory) -> list[dict[str, Any]]:
    """Which roles may have which permission (`scopeMappings` of a realm)."""
    holders: dict[str, set[str]] = {}
    for role, scopes in known.roles.items():
        for scope in scopes:
            holders.setdefault(scope, set()).add(role)
    for machine in _with_secret(known):
        for scope in machine.scopes:
            holders.setdefault(scope, set()).add(_machine(machine.sub))
    return [{"clientScope": scope, "roles": sorted(roles)} for scope, roles in sorted(holders.items())]


def _claims() -> dict[str, Any]:
    mappers = [
        _mapper("audience", "oidc-audience-mapper", {"included.custom.audience": AUDIENCE}),
        _mapper("roles", "oidc-usermodel-realm-role-mapper", {"claim.name": "roles", "multivalued": "true", "jsonType.label": "String"}),
        *(_of_attribute(name, many=name == "regions") for name in _ATTRIBUTES),
    ]  # fmt: skip
    return {
        "name": CLAIMS, "protocol": "openid-connect", "attributes": {"include.in.token.scope": "false"},
        "protocolMappers": mappers,
    }  # fmt: skip


def _mapper(name: str, kind: str, config: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name, "protocol": "openid-connect", "protocolMapper": kind,
        "config": {"access.token.claim": "true", "id.token.claim": "false", "userinfo.token.claim": "false", **config},
    }  # fmt: skip


def _of_attribute(name: str, *, many: bool) -> dict[str, Any]:
    config = {"user.attribute": name, "claim.name": name, "jsonType.label": "String"}
    if many:
        config["multivalued"] = "true"
    return _mapper(name, "oidc-usermodel-attribute-mapper", config)


def _client(name: str, about: str, scopes: Iterable[str], attributes: dict[str, str], **rest: Any) -> dict[str, Any]:
    return {
        "clientId": name, "name": about, "protocol": "openid-connect", "enabled": True, "fullScopeAllowed": True,
        "standardFlowEnabled": False, "implicitFlowEnabled": False, "directAccessGrantsEnabled": False,
        "attributes": {"access.token.header.type.rfc9068": "true"} | attributes,
        "defaultClientScopes": [CLAIMS, *scopes], "optionalClientScopes": [], **rest,
    }  # fmt: skip


def _console(known: Directory, *, demonstration: bool) -> dict[str, Any]:
    """The officers' console: people sign in with code and PKCE; by password only where everybody knows it anyway."""
    scopes = sorted({scope for role in known.roles.values() for scope in role})
    return _client(
        known.console, "Konsol petugas", scopes, {"pkce.code.challenge.method": "S256"}, publicClient=True, standardFlowEnabled=True,
        directAccessGrantsEnabled=demonstration, redirectUris=["${SANTUN_CONSOLE_URL:https://localhost}/*"], webOrigins=["+"],
        protocolMappers=[
            _mapper("sub", "oidc-usermodel-property-mapper", {"user.attribute": "username", "claim.name": "sub", "jsonType.label": "String"})
        ],
    )  # fmt: skip


def _machines(known: Directory) -> list[dict[str, Any]]:
    return [
        _client(
            machine.sub, machine.about, machine.scopes, {}, publicClient=False, serviceAccountsEnabled=True,
            clientAuthenticatorType="client-secret", secret=f"${{{_secret(machine.sub)}}}",
            protocolMappers=[
                _mapper("sub", "oidc-hardcoded-claim-mapper", {"claim.name": "sub", "claim.value": machine.sub, "jsonType.label": "String"})
            ],
        )
        for machine in _with_secret(known)
    ]  # fmt: skip


def _secret(client: str) -> str:
    """The variable that holds a machine's secret."""
    return client.upper().replace("-", "_") + "_SECRET"


def _service_account(machine: Identity) -> dict[str, Any]:
    return {
        "username": f"service-account-{machine.sub}", "enabled": True, "serviceAccountClientId": machine.sub,
        "realmRoles": [_machine(machine.sub)], "attributes": _attributes(machine),
    }  # fmt: skip


def _people(known: Directory) -> list[dict[str, Any]]:
    return [
        {
            "username": person.sub, "enabled": True, "firstName": person.about, "lastName": "(contoh)",
            "email": f"{person.sub}@dinsos.example", "emailVerified": True, "realmRoles": list(person.roles),
            "attributes": _attributes(person),
            "credentials": [{"type": "password", "value": known.password, "temporary": False}],
        }
        for person in known.persons.values()
    ]  # fmt: skip


def _attributes(identity: Identity) -> dict[str, list[str]]:
    found = {"regions": identity.regions, "unit": (identity.unit,), "person_id": (identity.person_id,)}
    return {name: [value for value in values if value] for name, values in found.items() if any(values)}


def _profile() -> dict[str, Any]:
    """What an account holds. Where somebody may act is set by administrators alone."""
    held = [
        {"name": name, "multivalued": name == "regions", "permissions": {"view": ["admin", "user"], "edit": ["admin"]}}
        for name in ("username", "email", "firstName", "lastName", *_ATTRIBUTES)
    ]
    return {
        "providerId": "declarative-user-profile",
        "config": {"kc.user.profile.config": [json.dumps({"attributes": held})]},
    }
