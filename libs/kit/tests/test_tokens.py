"""A token that cannot be trusted in every respect opens nothing and is told nothing."""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import desk
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from kit.auth.actor import Actor
from kit.auth.tokens import TokenVerifier
from kit.errors import Unavailable
from kit.http.docs import routes
from kit.machine import SYSTEM
from kit.testing.issuer import Issuer


def now(plus: int) -> int:
    return int(time.time()) + plus


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(issuer: Issuer) -> str:
    return f"{part({'alg': 'none', 'kid': issuer.key.kid})}.{part(issuer.claims(scope=desk.SCOPE))}."


def confused(issuer: Issuer) -> str:
    """HS256 with the public key as the secret."""
    secret = OctKey.import_key(json.dumps(issuer.key.as_dict(private=False)).encode())
    head = {"alg": "HS256", "kid": issuer.key.kid}
    return jwt.encode(head, issuer.claims(scope=desk.SCOPE), secret, algorithms=["HS256"])


def swapped(issuer: Issuer) -> str:
    head, _, signature = issuer.token(scope="").split(".")
    return f"{head}.{part(issuer.claims(scope=desk.SCOPE))}.{signature}"


def with_own_key(issuer: Issuer) -> str:
    """The attacker's key travels in the header."""
    own = ECKey.generate_key("P-256")
    return issuer.token(header={"jwk": own.as_dict(private=False), "kid": issuer.key.kid}, key=own, scope=desk.SCOPE)


def good(issuer: Issuer, **claims: Any) -> str:
    return issuer.token(scope=desk.SCOPE, **claims)


BAD: dict[str, Callable[[Issuer], str]] = {
    "nothing": lambda _: "",
    "no token at all": lambda _: "abc",
    "three parts of nonsense": lambda _: "a.b.c",
    "not even text": lambda _: "\x7f.\x7f.\x7f",
    "algorithm none": unsigned,
    "public key as a secret": confused,
    "claims of another token": swapped,
    "truncated": lambda i: good(i)[:-5],
    "longer than any token": lambda i: good(i, unit="x" * 10_000),
    "signed by another": lambda i: i.token(key=ECKey.generate_key("P-256", {"kid": str(i.key.kid)}), scope=desk.SCOPE),
    "its own key in the header": with_own_key,
    "no key id": lambda i: good(i) and i.token(header={"kid": None}, scope=desk.SCOPE),
    "a path for a key id": lambda i: i.token(header={"kid": "../../etc/passwd"}, scope=desk.SCOPE),
    "SQL for a key id": lambda i: i.token(header={"kid": "' OR 1=1 --"}, scope=desk.SCOPE),
    "a critical header that nobody knows": lambda i: i.token(header={"crit": ["new"], "new": 1}, scope=desk.SCOPE),
    "another issuer": lambda i: good(i, iss="http://evil.test"),
    "no issuer": lambda i: good(i, iss=None),
    "another audience": lambda i: good(i, aud="elsewhere"),
    "no audience": lambda i: good(i, aud=None),
    "expired": lambda i: good(i, exp=now(-31)),
    "no expiry": lambda i: good(i, exp=None),
    "expiry in words": lambda i: good(i, exp="tomorrow"),
    "not yet": lambda i: good(i, nbf=now(90)),
    "issued in the future": lambda i: good(i, iat=now(90)),
    "no subject": lambda i: good(i, sub=None),
    "an empty subject": lambda i: good(i, sub=""),
    "a subject that is no text": lambda i: good(i, sub=7),
    "no client": lambda i: good(i, azp=None),
    "no id": lambda i: good(i, jti=None),
    "the system itself by name": lambda i: good(i, sub="system:sealer"),
    "the system itself by role": lambda i: good(i, roles=[SYSTEM]),
    "roles in one text": lambda i: good(i, roles="kadis"),
    "regions that are no texts": lambda i: good(i, regions=[3276]),
    "all regions, as the database would read a star": lambda i: good(i, regions=["*"]),
    "two regions in one": lambda i: good(i, regions=["32,34"]),
    "a person that is no id": lambda i: good(i, person_id="1"),
}


@pytest.mark.parametrize("kind", BAD)
async def test_a_bad_token_is_401_without_a_reason_on_every_route(tmp_path: Path, kind: str) -> None:
    sut = desk.unconnected(tmp_path)
    token = BAD[kind](sut.issuer)
    async with sut.client(token=token if token.isprintable() else "x") as client:
        for method, path, rule in routes(sut.app):
            if not hasattr(rule, "scope"):
                continue
            answer = await client.request(method, path.replace("{id}", "01a202c6-8cbc-7675-8418-2a1c7c53717a"))
            assert answer.status_code == 401
            body = answer.json()
            assert set(body) == {"type", "title", "title_id", "detail", "detail_id", "status", "instance", "trace_id"}
            assert answer.headers["www-authenticate"] == "Bearer"
            assert body["detail"] == "A valid access token is needed."


async def test_another_scheme_than_bearer_is_401(tmp_path: Path) -> None:
    sut = desk.unconnected(tmp_path)
    async with sut.client() as client:
        assert (await client.post("/v1/echo", headers={"authorization": "Basic eDp4"})).status_code == 401
        del client.headers["authorization"]
        assert (await client.post("/v1/echo")).status_code == 401


async def test_small_differences_of_clocks_do_not_lock_people_out(tmp_path: Path) -> None:
    sut = desk.unconnected(tmp_path)
    async with sut.client(exp=now(-5), nbf=now(10), iat=now(10)) as client:
        assert (await client.post("/v1/echo", json={})).status_code == 200


async def test_a_good_token_without_the_scope_is_403_and_hears_which(tmp_path: Path) -> None:
    async with desk.unconnected(tmp_path).client(scope="sample.things:read") as client:
        answer = await client.post("/v1/echo", json={})
    assert answer.status_code == 403
    assert desk.SCOPE in answer.json()["detail"]


async def test_who_may_not_enter_is_told_before_the_body_is_read(tmp_path: Path) -> None:
    async with desk.unconnected(tmp_path).client(token="x") as client:
        assert (await client.post("/v1/echo", content=b"{" * 100_000)).status_code == 401


async def test_claims_become_the_actor(tmp_path: Path) -> None:
    sut = desk.unconnected(tmp_path)
    person = "01a202c6-8cbc-7675-8418-2a1c7c53717a"
    token = sut.issuer.token(
        sub="u1", azp="console", scope="a:read b:write", roles=["kadis"], regions=["32.76"], unit="D1", person_id=person
    )
    actor = await sut.app.state.tokens.verify(token)
    assert (actor.sub, actor.client, actor.unit, str(actor.person_id)) == ("u1", "console", "D1", person)
    assert (actor.roles, actor.scopes, actor.regions) == ({"kadis"}, {"a:read", "b:write"}, ("32.76",))
    assert actor.sees("32.76.03.1001")
    assert not actor.sees("32.77")
    assert Actor.system("rule").sees("11")


async def test_a_new_key_of_the_issuer_is_found_and_a_withdrawn_one_stops_counting(tmp_path: Path) -> None:
    sut = desk.unconnected(tmp_path)
    tokens: TokenVerifier = sut.app.state.tokens
    old = good(sut.issuer)
    await tokens.verify(old)
    fresh = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
    sut.issuer.publish(fresh)
    async with sut.client(token=sut.issuer.token(key=fresh, scope=desk.SCOPE)) as client:
        assert (await client.post("/v1/echo", json={})).status_code == 401, "fetched at most every ten seconds"
        tokens._fetched -= 11
        assert (await client.post("/v1/echo", json={})).status_code == 200
    async with sut.client(token=old) as client:
        assert (await client.post("/v1/echo", json={})).status_code == 401


async def test_rsa_keys_of_other_issuers_are_understood(tmp_path: Path) -> None:
    sut = desk.unconnected(tmp_path)
    key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
    sut.issuer.publish(key)
    token = jwt.encode({"alg": "RS256", "kid": key.kid}, sut.issuer.claims(scope=desk.SCOPE), key)
    async with sut.client(token=token) as client:
        assert (await client.post("/v1/echo", json={})).status_code == 200


async def test_without_the_issuers_keys_the_answer_is_503_not_401(tmp_path: Path) -> None:
    sut = desk.unconnected(tmp_path, jwks_url=(tmp_path / "nowhere.json").as_uri())
    async with sut.client() as client:
        for _ in range(2):
            answer = await client.post("/v1/echo", json={})
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    with pytest.raises(Unavailable):
        await sut.app.state.tokens.warm()


def test_a_route_without_a_rule_cannot_be_made() -> None:
    from kit.http.api import Api

    async def open_to_whom() -> None: ...

    with pytest.raises(TypeError, match="requires"):
        Api().get("/x")(open_to_whom)
