"""A development identity provider: OpenID discovery, keys, and tokens for the people and machines of the demonstration.

It knows everybody's password and therefore listens on the loopback address only. Run by `santun up` as
`python -m stack.idp`; production uses Keycloak, whose tokens carry the same claims.
"""

import argparse
import base64
import binascii
import hmac
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from kit.ids import new_id
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from stack.identities import Directory, Identity, directory
from stack.processes import write_private

ALGORITHM: Final = "RS256"
LIFETIME_SECONDS: Final = 3_600
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class GrantRefused(Exception):
    """A token request that gets none; `code` is the OAuth 2.0 error (RFC 6749, section 5.2)."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


class Keys:
    """The signing key, made once and kept in `file`, so that tokens outlive a restart."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            fresh = RSAKey.generate_key(2048, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
            write_private(file, json.dumps(fresh.as_dict(private=True)))
        self.key = RSAKey.import_key(json.loads(file.read_text()))

    def public(self) -> dict[str, Any]:
        """The JSON Web Key Set that verifiers fetch."""
        return {"keys": [self.key.as_dict(private=False)]}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A compact JWS of the claims."""
        return jwt.encode({"alg": ALGORITHM, "kid": self.key.kid, "typ": "at+jwt"}, dict(claims), self.key)


class Provider:
    """Decides who gets which token."""

    def __init__(self, issuer: str, keys: Keys, people: Directory, secrets: Mapping[str, str]) -> None:
        self.issuer = issuer
        self.keys = keys
        self.people = people
        self.secrets = secrets

    def token(
        self, identity: Identity, client: str, asked: str = "", *, lifetime: int = LIFETIME_SECONDS
    ) -> dict[str, Any]:
        """A token answer. `asked` narrows the scopes; raises GrantRefused when it asks for more than the identity has."""
        wanted = set(asked.split()) - {"openid"}
        if wanted - set(identity.scopes):
            raise GrantRefused("invalid_scope")
        scopes = [scope for scope in identity.scopes if not wanted or scope in wanted]
        now = int(time.time())
        claims = {"iss": self.issuer, "iat": now, "exp": now + lifetime, "jti": str(new_id())} | identity.claims(
            client, scopes
        )
        return {
            "access_token": self.keys.sign(claims),
            "token_type": "Bearer",
            "expires_in": lifetime,
            "scope": " ".join(scopes),
        }

    def grant(self, form: Mapping[str, str], authorization: str) -> dict[str, Any]:
        """Answer a token request. Raises GrantRefused."""
        client = self._client(form, authorization)
        match form.get("grant_type"):
            case "client_credentials":
                if client == self.people.console:
                    raise GrantRefused("unauthorized_client")
                return self.token(self.people.clients[client], client, form.get("scope", ""))
            case "password":
                if client != self.people.console:
                    raise GrantRefused("unauthorized_client")
                person = self.people.persons.get(form.get("username", ""))
                if not _same(form.get("password", ""), self.people.password) or person is None:
                    raise GrantRefused("invalid_grant")
                return self.token(person, client, form.get("scope", ""))
            case None:
                raise GrantRefused("invalid_request")
            case _:
                raise GrantRefused("unsupported_grant_type")

    def _client(self, form: Mapping[str, str], authorization: str) -> str:
        """The authenticated client. The console is public: it stands on the officer's own machine and keeps no secret."""
        name, secret = form.get("client_id", ""), form.get("client_secret", "")
        if authorization.lower().startswith("basic "):
            try:
                name, _, secret = base64.b64decode(authorization[6:], validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise GrantRefused("invalid_client", 401) from None
        if name == self.people.console:
            return name
        if name not in self.people.clients or not _same(secret, self.secrets.get(name, "")):
            raise GrantRefused("invalid_client", 401)
        return name


def _same(given: str, known: str) -> bool:
    return bool(known) and hmac.compare_digest(given.encode(), known.encode())


def create_app(provider: Provider) -> Starlette:
    """The provider's four addresses."""

    async def discovery(_: Request) -> JSONResponse:
        issuer = provider.issuer
        return JSONResponse(
            {
                "issuer": issuer,
                "jwks_uri": f"{issuer}/jwks",
                "token_endpoint": f"{issuer}/token",
                "grant_types_supported": ["client_credentials", "password"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
                "response_types_supported": [],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [ALGORITHM],
            }
        )

    async def jwks(_: Request) -> JSONResponse:
        return JSONResponse(provider.keys.public(), headers={"Cache-Control": "public, max-age=60"})

    async def token(request: Request) -> JSONResponse:
        form = {name: str(value) for name, value in (await request.form(max_files=0, max_fields=20)).items()}
        try:
            answer, status = provider.grant(form, request.headers.get("authorization", "")), 200
        except GrantRefused as refused:
            answer, status = {"error": refused.code}, refused.status
        return JSONResponse(answer, status, headers={"Cache-Control": "no-store"})

    async def ready(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ready"})

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", discovery),
            Route("/jwks", jwks),
            Route("/token", token, methods=["POST"]),
            Route("/health/ready", ready),
        ]
    )


def main(argv: list[str] | None = None) -> None:
    """Serve until stopped. Refuses every address but the loopback one."""
    parser = argparse.ArgumentParser(prog="python -m stack.idp", description="Identity provider for development only.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--keys", type=Path, required=True, help="file of the signing key, made when missing")
    parser.add_argument("--secrets", type=Path, required=True, help="JSON file with the clients' secrets")
    options = parser.parse_args(argv)
    if options.host not in LOOPBACK:
        parser.error("this provider knows everybody's password and listens on the loopback address only")
    secrets = json.loads(options.secrets.read_text())["clients"]
    issuer = f"http://{options.host}:{options.port}"
    app = create_app(Provider(issuer, Keys(options.keys), directory(), secrets))
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
