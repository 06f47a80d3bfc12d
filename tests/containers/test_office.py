"""An office that means it: no shortcut is taken, people get accounts one by one, and mail leaves for a server elsewhere."""

import base64
import hashlib
import re
import secrets
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
from aiosmtpd.controller import Controller
from containers.compose import Compose, started
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from stack.processes import free_port, until

VILLAGE, CITY = "32.76.03.1001", "32.76"


def certificate(host: str, days: int = 90) -> tuple[str, str]:
    """Key and certificate of a name, as an authority hands them out: PEM."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=100)).not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private.decode(), made.public_bytes(pem).decode()


class Letters:
    """What the mail server of the city was handed: each mail as a reader opens it."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep it."""
        self.taken.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@pytest.fixture(scope="module")
def mail_server() -> Iterator[Controller]:
    """A real mail server that is no container: on the address by which this machine speaks to others."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        host = probe.getsockname()[0]
    server = Controller(Letters(), hostname=host, port=free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, mail_server: Controller) -> Iterator[Compose]:
    """The lines marked "office" in the example, and nothing of the demonstration."""
    given = {
        "SANTUN_PROFILE": "production", "COMPOSE_PROFILES": "", "SANTUN_REALM": "realm", "SANTUN_CLOCK_FILE": None,
        "DISBURSEMENT_OFFICE_NAME": "Dinas Sosial Kota Uji", "DISBURSEMENT_DISTRIBUTION_ACCOUNT": "5550001234",
        "NOTIFICATIONS_OFFICE_NAME": "Dinas Sosial Kota Uji", "NOTIFICATIONS_SMTP_SENDER": "kabar@dinsos.test",
        "NOTIFICATIONS_SMTP_HOST": mail_server.hostname, "NOTIFICATIONS_SMTP_PORT": str(mail_server.port),
    }  # fmt: skip

    def bring(compose: Compose) -> None:
        compose.script("secret.sh", "tls", text="".join(certificate("localhost")))
        compose.script("secret.sh", "smtp_password", text="kata-sandi")

    with started("santun-office", tmp_path_factory.mktemp("office"), given, before=bring) as compose:
        yield compose


class Person:
    """Somebody of the office who signs in as a browser does: code, PKCE, a password of their own in place of the first one."""

    def __init__(self, office: Compose, authority: ssl.SSLContext, name: str, *words: str) -> None:
        self.name, self.password = name, ""
        self.first = office.script("person.sh", "add", name, *words).split()[-1]
        self.browser = httpx.Client(base_url=office.origin, verify=authority, timeout=30)
        self.token = ""

    def sign_in(self) -> str:
        """Through the pages of the identity provider; whatever page comes last when no code comes."""
        back, verifier = f"{self.browser.base_url}/registry/docs", secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        where = "/auth/realms/santun/protocol/openid-connect"
        self.browser.cookies.clear()
        page = self.browser.get(f"{where}/auth", params={
            "client_id": "santun-console", "response_type": "code", "scope": "openid", "redirect_uri": back,
            "code_challenge": challenge, "code_challenge_method": "S256",
        })  # fmt: skip
        page = self._send(page, {"username": self.name, "password": self.password or self.first})
        if "password-new" in page.text:
            self.password = secrets.token_urlsafe(16)
            page = self._send(page, {"password-new": self.password, "password-confirm": self.password})
        code = parse_qs(urlsplit(page.headers.get("location", "")).query).get("code")
        if not code:
            return page.text
        form = {
            "grant_type": "authorization_code", "client_id": "santun-console", "code": code[0], "redirect_uri": back,
            "code_verifier": verifier,
        }  # fmt: skip
        answer = self.browser.post(f"{where}/token", data=form)
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]
        return ""

    def _send(self, page: httpx.Response, form: dict[str, str]) -> httpx.Response:
        action = re.search(r'<form[^>]+action="([^"]+)"', page.text)
        assert action, page.text
        answer = self.browser.post(unescape(action[1]), data=form)
        while "location" in answer.headers and "code=" not in answer.headers["location"]:
            answer = self.browser.get(answer.headers["location"])
        return answer

    def do(self, path: str, body: dict[str, Any] | None = None, version: int | None = None) -> dict[str, Any]:
        """One command that must succeed."""
        answer = self.ask(path, body or {}, version)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ask(self, path: str, body: dict[str, Any], version: int | None = None) -> httpx.Response:
        """One command, and whatever is answered."""
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": str(uuid4())}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self.browser.post(path, json=body, headers=headers)


def test_the_first_day_of_an_office(office: Compose, mail_server: Controller, tmp_path: Path):
    """Accounts are made, an institution applies, is asked for more, and hears of it by mail; a region is not another's."""
    authority, institution = ssl.create_default_context(cafile=office.authority(tmp_path)), str(uuid4())
    operator = Person(office, authority, "operator.satu", "role=dinsos_operator", f"region={CITY}")
    staff = Person(office, authority, "pengurus.satu", "role=lks_pengurus", f"region={VILLAGE}", f"unit={institution}")
    head = Person(office, authority, "pimpinan.satu", "role=lks_pimpinan", f"region={VILLAGE}", f"unit={institution}")
    verifier = Person(office, authority, "verifikator.satu", "role=verifikator", f"region={CITY}")
    for person in (operator, staff, head, verifier):
        assert person.sign_in() == ""
    operator.do(
        "/notifications/v1/directory-entries",
        {"institution_id": institution, "region_code": VILLAGE, "mail": "lks@contoh.test"},
    )
    listed = operator.do(
        "/grants/v1/institutions",
        {"id": institution, "name": "LKSA Uji", "kind": "lksa", "legal_form": "yayasan", "region_code": VILLAGE},
    )
    listed = operator.do(
        f"/grants/v1/institutions/{institution}:record-officer",
        {"position": "ketua", "person_id": str(uuid4()), "proved": True},
        listed["version"],
    )
    staff.do(
        f"/grants/v1/institutions/{institution}:declare-account",
        {"account": {"bank": "110", "number": "7700009999"}},
        listed["version"],
    )
    file = staff.do("/grants/v1/registrations", {"institution_id": institution})
    sections = {name: {"isi": "lengkap"} for name in ("profil", "pengurus", "kegiatan", "sarana", "keuangan")}
    for person, step, body in (
        (staff, "edit", {"sections": sections}), (head, "submit", {}), (verifier, "take", {"conflict_of_interest": False}),
        (verifier, "request-correction", {"sections": ["profil"], "reasons": ["formulir_belum_lengkap"]}),
    ):  # fmt: skip
        file = person.do(f"/grants/v1/registrations/{file['id']}:{step}", body, file["version"])

    # By night it is the only mail; by day one that the papers came in goes before it.
    def asked_for_more() -> list[EmailMessage]:
        return [mail for mail in mail_server.handler.taken if "perlu diperbaiki" in mail["Subject"]]

    until(lambda: bool(asked_for_more()))
    (mail,) = asked_for_more()
    assert (mail["To"], mail["From"]) == ("lks@contoh.test", "Dinas Sosial Kota Uji <kabar@dinsos.test>")
    elsewhere = {"name": "LKSA Lain", "kind": "lksa", "legal_form": "yayasan", "region_code": "32.71.01.1001"}
    assert operator.ask("/grants/v1/institutions", elsewhere).status_code == 404
    office.verify()


def test_who_left_is_out_and_who_forgot_gets_in_again(office: Compose, tmp_path: Path):
    person = Person(
        office,
        ssl.create_default_context(cafile=office.authority(tmp_path)),
        "petugas.satu",
        "role=petugas",
        f"region={CITY}",
    )
    assert person.sign_in() == ""
    person.first, person.password = office.script("person.sh", "password", person.name).split()[-1], ""
    assert person.sign_in() == ""
    office.script("person.sh", "close", person.name)
    assert person.sign_in() != ""
    for words in (
        ["role=raja", f"region={CITY}"],
        ["role=petugas", "region=Depok"],
        ["role=petugas"],
        [f"region={CITY}"],
    ):
        with pytest.raises(AssertionError, match=r"role|region"):
            office.script("person.sh", "add", "orang.lain", *words)
    with pytest.raises(AssertionError, match="there is no account"):
        office.script("person.sh", "close", "orang.lain")


@pytest.mark.parametrize(
    ("container", "reached"),
    [("notifications-work", True), ("notifications", False), ("registry-work", False), ("postgres", False)],
)
def test_messages_leave_and_nothing_else(office: Compose, mail_server: Controller, container: str, reached: bool):
    said = office(
        "exec",
        "-T",
        container,
        "bash",
        "-c",
        f"timeout 5 bash -c 'exec 3<>/dev/tcp/{mail_server.hostname}/{mail_server.port}' && echo reached",
        check=False,
    )
    assert ("reached" in said) is reached, said


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "nothing came in"),
        ("kata-sandi", "one private key and its certificate are needed"),
        (certificate("localhost")[0] + certificate("localhost")[1], "the key is not that of the first certificate"),
        ("".join(certificate("lain.test")), "the certificate is not for localhost"),
        ("".join(certificate("localhost", days=-1)), "the certificate ended on"),
    ],
    ids=["empty", "no-pem", "another-key", "another-name", "ended"],
)
def test_a_certificate_that_cannot_be_right_is_refused_and_the_old_one_stays(office: Compose, text: str, reason: str):
    before = office.secret("source/tls.crt")
    with pytest.raises(AssertionError, match=reason):
        office.script("secret.sh", "tls", text=text)
    assert office.secret("source/tls.crt") == before


def test_the_certificate_of_the_office_is_shown_and_its_successor_without_a_pause(office: Compose):
    port = int(office.settings["SANTUN_HTTPS_PORT"])
    assert ssl.get_server_certificate(("localhost", port)).strip() == office.secret("source/tls.crt")
    key, successor = certificate("localhost", days=5)
    office.script("secret.sh", "tls", text=key + successor)
    until(lambda: ssl.get_server_certificate(("localhost", port)) == successor)
    ask = "import urllib.request as u; print(u.urlopen('http://proxy:9101/certificate').read().decode())"
    said = office("exec", "-T", "registry", "python", "-c", ask)
    left = float(said.split("certificate_ends_seconds ")[-1]) - datetime.now(UTC).timestamp()
    assert 4 * 86_400 < left < 5 * 86_400
