"""Access tokens: signature, issuer, audience and times, by the issuer's published keys. Nothing else is believed.

`TokenVerifier` is made once per application; its answer is the Actor. Why a token was refused stands in the log of
this service, never in the answer.
"""

import json
import time
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import anyio
import httpx
import structlog
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from kit.auth.actor import Actor
from kit.errors import Unauthorized, Unavailable
from kit.settings import Base

ALGORITHMS = ("ES256", "RS256")
"""What the development issuer and Keycloak sign with. No symmetric algorithm, no `none`: fixed, not configured."""

LEEWAY_SECONDS = 30
REFRESH_SECONDS = 10.0
KEYS_LAST_SECONDS = 600.0
"""After this time the keys are fetched again, so that a withdrawn key stops counting without a restart."""
_FETCH_TIMEOUT = httpx.Timeout(5.0)
_TOKEN_BYTES = 8 * 1024
_KNOWN_TOKENS = 4096

log = structlog.get_logger("kit.auth")


class TokenVerifier:
    """Verifies bearer tokens. Keys are fetched at first use and again for an unknown key id, at most every 10 s."""

    def __init__(self, settings: Base) -> None:
        self._url = settings.jwks_url
        self._claims = JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.audience},
            sub={"essential": True},
            azp={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            jti={"essential": True},
        )
        self._registry = jws.JWSRegistry(algorithms=list(ALGORITHMS))
        self._keys: KeySet | None = None
        self._kids: frozenset[str] = frozenset()
        self._fetched = float("-inf")
        self._lock = anyio.Lock()
        self._verified: dict[str, dict[str, Any]] = {}

    async def verify(self, token: str) -> Actor:
        """The actor of the token. Raises Unauthorized for anything wrong with it, Unavailable without the issuer's keys."""
        try:
            if time.monotonic() - self._fetched > KEYS_LAST_SECONDS:
                await self._refresh()
            claims = self._verified.get(token) or await self._check_signature(token)
            self._claims.validate(claims)
            return Actor.of_claims(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            self._verified.pop(token, None)
            log.info("token_refused", why=type(error).__name__)
            raise Unauthorized from None

    @property
    def keys_age(self) -> float | None:
        """Seconds since the issuer's keys were fetched; None when never."""
        return None if self._keys is None else time.monotonic() - self._fetched

    async def warm(self) -> None:
        """Fetch the keys unless they are there (readiness)."""
        if self._keys is None:
            await self._refresh()
        if self._keys is None:
            raise Unavailable("identity provider")

    async def _check_signature(self, token: str) -> dict[str, Any]:
        """The claims of a token whose signature is good; remembered, so that a busy caller costs one verification."""
        if len(token) > _TOKEN_BYTES:
            raise ValueError("token too long")
        kid = jws.extract_compact(token.encode()).headers().get("kid")
        if not isinstance(kid, str):
            raise TypeError("no key id")
        if kid not in self._kids:
            await self._refresh()
        if self._keys is None:
            raise Unavailable("identity provider")
        if kid not in self._kids:
            raise KeyError("unknown key id")
        claims: dict[str, Any] = jwt.decode(
            token, self._keys, algorithms=list(ALGORITHMS), registry=self._registry
        ).claims
        if len(self._verified) >= _KNOWN_TOKENS:
            self._verified.clear()
        self._verified[token] = claims
        return claims

    async def _refresh(self) -> None:
        async with self._lock:  # who waited for the fetch of another finds it done
            if time.monotonic() - self._fetched < REFRESH_SECONDS:
                return
            try:
                published = await self._fetch()
                usable = [
                    key
                    for key in published["keys"]
                    if key.get("use", "sig") == "sig" and key.get("kty") in {"EC", "RSA"}
                ]
                self._keys = KeySet.import_key_set({"keys": usable})
            except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError, JoseError) as error:
                log.warning("keys_not_fetched", why=type(error).__name__)
                if self._keys is None:
                    raise Unavailable("identity provider") from error
                return
            finally:
                self._fetched = time.monotonic()
            self._kids = frozenset(str(key.kid) for key in self._keys.keys)
            self._verified.clear()

    async def _fetch(self) -> dict[str, Any]:
        if self._url.startswith("file:"):
            text = await anyio.Path(url2pathname(urlsplit(self._url).path)).read_text("utf-8")
        else:
            async with httpx.AsyncClient(timeout=_FETCH_TIMEOUT, follow_redirects=False) as client:
                answer = await client.get(self._url)
                answer.raise_for_status()
                text = answer.text
        found: dict[str, Any] = json.loads(text)
        return found
