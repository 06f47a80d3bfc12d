"""Bad tokens of every kind, each made for the key and the claims that the service under attack really trusts."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

from joserfc.jwk import ECKey, RSAKey
from kit.ids import new_id
from stack import running
from stack.identities import AUDIENCE, directory
from stack.running import ISSUER, Running

Claims = dict[str, Any]


class Forge:
    """Knows the issuer's real key (to sign honest mistakes) and its public half (to attack with)."""

    def __init__(self, service: Running) -> None:
        self.key: RSAKey = running._provider(service.parts.folder).keys.key
        self.other = RSAKey.generate_key(2048, {"kid": str(self.key.kid)})
        self.curve = ECKey.generate_key("P-256", {"kid": str(self.key.kid)})
        self.scopes = " ".join(sorted({scope for scopes in directory().roles.values() for scope in scopes}))

    def claims(self, **changed: Any) -> Claims:
        """Claims of the mightiest token that there could be; None leaves one out."""
        now = int(time.time())
        usual: Claims = {
            "iss": ISSUER, "aud": AUDIENCE, "sub": "attacker", "azp": "santun-console", "iat": now, "exp": now + 600,
            "jti": str(new_id()), "scope": self.scopes, "roles": ["kadis"], "regions": ["32", "34", "35"],
        }  # fmt: skip
        return {name: value for name, value in (usual | changed).items() if value is not None}

    def signed(self, *, key: RSAKey | None = None, head: Claims | None = None, **changed: Any) -> str:
        """A token with a true RS256 signature."""
        header = {"alg": "RS256", "kid": self.key.kid, "typ": "at+jwt", **(head or {})}
        text = _text(header, self.claims(**changed))
        return f"{text}.{_part((key or self.key).get_op_key('sign').sign(text.encode(), *_pkcs1()))}"

    def confused(self, secret: bytes, *, alg: str = "HS256") -> str:
        """HMAC with the published key as its secret."""
        digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}[alg]
        text = _text({"alg": alg, "kid": self.key.kid}, self.claims())
        return f"{text}.{_part(hmac.digest(secret, text.encode(), digest))}"

    def unsigned(self, alg: str) -> str:
        """No signature at all, and a header that says so."""
        return _text({"alg": alg, "kid": self.key.kid}, self.claims()) + "."

    def swapped(self) -> str:
        """The signature of a harmless token under mighty claims."""
        head, _, signature = self.signed(scope="", roles=[]).split(".")
        return f"{head}.{_text({}, self.claims()).partition('.')[2]}.{signature}"


def _pkcs1() -> tuple[Any, Any]:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    return PKCS1v15(), SHA256()


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _text(head: Claims, claims: Claims) -> str:
    return f"{_part(json.dumps(head).encode())}.{_part(json.dumps(claims).encode())}"


def _now(plus: int) -> int:
    return int(time.time()) + plus


BAD: dict[str, Callable[[Forge], str | None]] = {
    "no token": lambda _: None,
    "an empty token": lambda _: "Bearer ",
    "another scheme": lambda f: f"Basic {f.signed()}",
    "nonsense": lambda _: "Bearer a.b.c",
    "alg none": lambda f: "Bearer " + f.unsigned("none"),
    "alg NoNe": lambda f: "Bearer " + f.unsigned("NoNe"),
    "alg empty": lambda f: "Bearer " + f.unsigned(""),
    "HS256 with the public key as PEM": lambda f: "Bearer " + f.confused(f.key.as_pem(private=False)),
    "HS256 with the public key as DER": lambda f: "Bearer " + f.confused(f.key.as_der(private=False)),
    "HS256 with the public key as JWK": lambda f: (
        "Bearer " + f.confused(json.dumps(f.key.as_dict(private=False)).encode())
    ),
    "HS512 with the public key as PEM": lambda f: "Bearer " + f.confused(f.key.as_pem(private=False), alg="HS512"),
    "HS256 with an empty secret": lambda f: "Bearer " + f.confused(b""),
    "ES256 over an RSA key id": lambda f: "Bearer " + f.signed(head={"alg": "ES256"}),
    "another key, the same key id": lambda f: "Bearer " + f.signed(key=f.other),
    "its own key in the header": lambda f: (
        "Bearer " + f.signed(key=f.other, head={"jwk": f.other.as_dict(private=False)})
    ),
    "its key behind an address": lambda f: "Bearer " + f.signed(key=f.other, head={"jku": "http://127.0.0.1:9/jwks"}),
    "a path as key id": lambda f: "Bearer " + f.signed(head={"kid": "../../../../dev/null"}),
    "SQL as key id": lambda f: "Bearer " + f.signed(head={"kid": "x' UNION SELECT 'secret' --"}),
    "a key id that is no text": lambda f: "Bearer " + f.signed(head={"kid": {"$ne": None}}),
    "no key id": lambda f: "Bearer " + f.signed(head={"kid": None}),
    "an unknown critical header": lambda f: "Bearer " + f.signed(head={"crit": ["exp"], "exp": _now(600)}),
    "an unencoded payload (b64)": lambda f: "Bearer " + f.signed(head={"crit": ["b64"], "b64": False}),
    "another audience": lambda f: "Bearer " + f.signed(aud="elsewhere"),
    "no audience": lambda f: "Bearer " + f.signed(aud=None),
    "another issuer": lambda f: "Bearer " + f.signed(iss="http://evil.test"),
    "an issuer that begins alike": lambda f: "Bearer " + f.signed(iss=ISSUER + ".evil.test"),
    "expired": lambda f: "Bearer " + f.signed(iat=_now(-600), exp=_now(-31)),
    "no expiry": lambda f: "Bearer " + f.signed(exp=None),
    "expiry beyond numbers": lambda f: "Bearer " + f.signed(exp="9" * 400),
    "not yet valid": lambda f: "Bearer " + f.signed(nbf=_now(120)),
    "issued in the future": lambda f: "Bearer " + f.signed(iat=_now(120)),
    "truncated": lambda f: "Bearer " + f.signed()[:-8],
    "claims of another token": lambda f: "Bearer " + f.swapped(),
    "the system by name": lambda f: "Bearer " + f.signed(sub="system:sealer"),
    "the system by client": lambda f: "Bearer " + f.signed(azp="system"),
    "the system by role": lambda f: "Bearer " + f.signed(roles=["system"]),
    "all regions by a star": lambda f: "Bearer " + f.signed(regions=["*"]),
    "two regions in one": lambda f: "Bearer " + f.signed(regions=["32,34"]),
}
"""Kind -> the Authorization header (None: none). Every one of them is answered 401."""
