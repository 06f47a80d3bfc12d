"""A token issuer for tests: a key pair, its published key as a file, and tokens with any claims, good or bad."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.registry import HeaderParameter

from kit.ids import new_id

ISSUER = "http://issuer.test"
_ANY = jws.JWSRegistry(header_registry={"new": HeaderParameter("unknown to all", "int")}, algorithms=["ES256"])
"""Signs what no verifier should take: critical headers that nobody knows."""


class Issuer:
    """Signs with ES256; `jwks_url` goes into the settings of the service under test."""

    def __init__(self, folder: Path, issuer: str = ISSUER) -> None:
        self.issuer = issuer
        self.key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
        self._file = folder / "jwks.json"
        self.publish(self.key)

    @property
    def jwks_url(self) -> str:
        """Where the published keys stand."""
        return self._file.as_uri()

    def publish(self, *keys: ECKey | RSAKey) -> None:
        """Publish these keys and no others."""
        self._file.write_text(json.dumps({"keys": [key.as_dict(private=False) for key in keys]}), "utf-8")

    def claims(self, **given: Any) -> dict[str, Any]:
        """Claims of a good token; a claim or header given as None is left out."""
        now = int(time.time())
        usual: dict[str, Any] = {
            "iss": self.issuer, "aud": "santun", "sub": "tester", "azp": "console", "iat": now, "exp": now + 300,
            "jti": str(new_id()), "scope": "", "roles": [], "regions": [],
        }  # fmt: skip
        return {name: value for name, value in {**usual, **given}.items() if value is not None}

    def token(self, *, header: Mapping[str, Any] | None = None, key: ECKey | None = None, **claims: Any) -> str:
        """A signed token; `header` adds to or replaces the usual header, `claims` those of a good token."""
        key = key or self.key
        usual: dict[str, Any] = {"alg": "ES256", "kid": key.kid, "typ": "at+jwt", **(header or {})}
        head = {name: value for name, value in usual.items() if value is not None}
        return jwt.encode(head, self.claims(**claims), key, registry=_ANY)
