"""The development identity provider: who gets which token, and what stands in it."""

import asyncio

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from stack import idp
from stack.identities import directory

SECRET = "s" * 40


@pytest.fixture(scope="module")
def http(tmp_path_factory):
    keys = idp.Keys(tmp_path_factory.mktemp("idp") / "key.json")
    provider = idp.Provider("http://127.0.0.1:8100", keys, directory(), dict.fromkeys(directory().clients, SECRET))
    return InProcess(idp.create_app(provider))


class InProcess:
    """Calls the application without a socket."""

    def __init__(self, app):
        self.app = app

    def get(self, path):
        return self.call("GET", path)

    def call(self, method, path, **rest):
        async def work():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://idp.test") as client:
                return await client.request(method, path, **rest)

        return asyncio.run(work())


def token(http, **form):
    return http.call("POST", "/token", data=form)


def person(http, name, **more):
    return token(
        http, grant_type="password", client_id="santun-console", username=name, password=directory().password, **more
    )


def claims(http, answer):
    keys = KeySet.import_key_set(http.get("/jwks").json())
    return jwt.decode(answer.json()["access_token"], keys, algorithms=[idp.ALGORITHM]).claims


def test_a_person_gets_the_agreed_claims_and_no_name(http):
    found = claims(http, person(http, "op_desa"))
    assert set(found) == {"iss", "aud", "sub", "exp", "iat", "jti", "azp", "scope", "roles", "regions", "unit"}
    assert found["aud"] == "santun"
    assert found["azp"] == "santun-console"
    assert found["roles"] == ["op_desa"]
    assert found["regions"] == ["32.76.03.1001"]
    assert "registry.deaths:write" in found["scope"].split()


def test_a_citizen_carries_the_id_of_the_registry(http):
    assert claims(http, person(http, "warga"))["person_id"] == directory().persons["warga"].person_id


def test_a_service_gets_its_scopes_no_role_and_every_province(http):
    answer = token(http, grant_type="client_credentials", client_id="santun-disbursement", client_secret=SECRET)
    found = claims(http, answer)
    assert found["roles"] == []
    assert "registry.payees:read" in found["scope"].split()
    assert len(found["regions"]) == 38


def test_scopes_can_be_narrowed_never_widened(http):
    assert claims(http, person(http, "kadis", scope="registry.deaths:read"))["scope"] == "registry.deaths:read"
    refused = person(http, "op_desa", scope="disbursement.treasury:write")
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_scope"})


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        (
            {"grant_type": "password", "client_id": "santun-console", "username": "kadis", "password": "guess"},
            400,
            "invalid_grant",
        ),
        (
            {"grant_type": "password", "client_id": "santun-console", "username": "nobody", "password": "demo-santun"},
            400,
            "invalid_grant",
        ),
        (
            {"grant_type": "client_credentials", "client_id": "santun-grants", "client_secret": "guess"},
            401,
            "invalid_client",
        ),
        ({"grant_type": "client_credentials", "client_id": "nobody", "client_secret": ""}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "santun-console"}, 400, "unauthorized_client"),
        ({"grant_type": "password", "client_id": "santun-grants", "client_secret": SECRET}, 400, "unauthorized_client"),
        ({"grant_type": "authorization_code", "client_id": "santun-console"}, 400, "unsupported_grant_type"),
        ({"client_id": "santun-console"}, 400, "invalid_request"),
    ],
)
def test_other_requests_get_no_token(http, form, status, error):
    refused = token(http, **form)
    assert (refused.status_code, refused.json()) == (status, {"error": error})


def test_discovery_names_where_everything_is(http):
    found = http.get("/.well-known/openid-configuration").json()
    assert found["jwks_uri"] == "http://127.0.0.1:8100/jwks"
    assert found["token_endpoint"] == "http://127.0.0.1:8100/token"


def test_keys_outlive_a_restart_and_stay_private(tmp_path):
    first = idp.Keys(tmp_path / "key.json")
    assert idp.Keys(tmp_path / "key.json").key.kid == first.key.kid
    assert (tmp_path / "key.json").stat().st_mode & 0o077 == 0
    assert set(first.public()["keys"][0]) == {"n", "e", "use", "alg", "kty", "kid"}


def test_it_refuses_to_listen_for_others(tmp_path, capsys):
    with pytest.raises(SystemExit):
        idp.main(["--host", "0.0.0.0", "--port", "1", "--keys", str(tmp_path / "k"), "--secrets", str(tmp_path / "s")])
    assert "loopback" in capsys.readouterr().err


def test_every_person_has_roles_that_exist_and_every_role_of_the_office_has_somebody():
    people = directory()
    held = {role for identity in people.persons.values() for role in identity.roles}
    assert held <= set(people.roles)
    assert {"op_desa", "verifikator", "kabid", "kadis", "bendahara", "ppk", "bpkad", "lks_pimpinan", "warga"} <= held
