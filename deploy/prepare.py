"""The first job of a start: looks at every setting at once, then makes the secrets that do not exist yet.

Runs in the image of the services. Secrets lie in one volume: `source/` holds each of them once, for this job and the
office's administrators alone; every other folder holds what one container may read, in the form it reads it. A secret that
others chose (the password of the mail server, the certificate) comes in with `secret.sh`.
"""

import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from ipaddress import ip_address
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from kit.events import access
from kit.events.schemas import Contracts
from kit.settings import SettingsError, load

SERVICES = ("registry", "disbursement", "grants", "notifications")
SANTUN, POSTGRES, KAFKA, KEYCLOAK, NGINX, GRAFANA = 10001, 999, 1000, 1000, 101, 472
"""The users of the images, by number."""
CONTRACTS = Path(os.environ["SANTUN_CONTRACTS_DIR"])
ROOT = Path(os.environ.get("SANTUN_SECRETS", "/secrets"))
SOURCE = ROOT / "source"
DATABASE = os.environ.get("SANTUN_DATABASE_HOST") or "postgres:5432"
"""Where the services find PostgreSQL: another one after a standby took over."""
CERTIFICATE_DAYS = 825
GIVEN = ("smtp_password", "provider_token", "receipt_secret", "tls")
"""What others choose; `tls` is a private key with its certificate and chain."""
OF_THE_OFFICE = {
    "DISBURSEMENT_OFFICE_NAME": ("Dinas Sosial Kota Contoh", "The office, as files to the bank name it."),
    "DISBURSEMENT_DISTRIBUTION_ACCOUNT": ("0123456789", "The account from which aid is paid."),
    "DISBURSEMENT_DISTRIBUTION_BANK": ("", "The bank of that account."),
    "NOTIFICATIONS_OFFICE_NAME": ("Dinas Sosial Kota Contoh", "The office, as letters name it."),
    "NOTIFICATIONS_OFFICE_REGION": ("", "The region of the office."),
    "NOTIFICATIONS_SMTP_HOST": ("mail", "The mail server of the office."),
    "NOTIFICATIONS_SMTP_SENDER": ("pemberitahuan@dinsos.example", "The address from which mails are sent."),
}
"""What production must be told: the example's value of each, and what it is."""


def secret(name: str, make: str = "token") -> str:
    """The secret of this name; made and kept when there is none."""
    file = SOURCE / name
    if not file.exists():
        made = {
            "token": secrets.token_urlsafe(32),
            "key": f"1:{secrets.token_hex(32)}",
            "id": secrets.token_urlsafe(16),
        }
        _write(file, made[make], 0)
    return file.read_text().strip()


def hand_out(folder: str, user: int, files: dict[str, str]) -> None:
    """Write what one container may read, and nothing else, into its folder."""
    new = ROOT / f".{folder}.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o500)
    for name, text in files.items():
        _write(new / name, text, user)
    os.chown(new, user, user)
    there = ROOT / folder
    there.mkdir(exist_ok=True)
    os.chown(there, user, user)
    there.chmod(0o500)
    for file in new.iterdir():  # the folder itself is mounted and stays
        file.replace(there / file.name)
    for file in there.iterdir():
        if file.name not in files:
            file.unlink()
    new.rmdir()


def _write(file: Path, text: str, user: int) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o400)
    with os.fdopen(handle, "w") as out:
        out.write(text)
    os.chown(file, user, user)


def clients() -> list[str]:
    """Machines that have a secret at the identity provider."""
    contract = yaml.safe_load((CONTRACTS / "roles.yaml").read_text())
    return [name for name in contract["clients"] if name != "santun-console"]


def of_service(service: str) -> dict[str, str]:
    """What a service reads: its variables in lower case (kit.settings)."""
    own = {
        "database_url": f"postgresql://{service}_app:{secret(f'{service}_app')}@{DATABASE}/{service}",
        "client_secret": secret(f"client_santun-{service}"),
        "cursor_secret": secret(f"{service}_cursors"),
        "field_keys": secret(f"{service}_field_keys", "key"),
        "index_keys": secret(f"{service}_index_keys", "key"),
        "kafka_password": secret(f"kafka_{service}"),
    }
    if service == "notifications":
        own |= {name: secret(name) for name in ("provider_token", "receipt_secret", "smtp_password")}
    return {f"{service}_{name}": value for name, value in own.items()}


def of_owner(service: str) -> dict[str, str]:
    """The same for its migrations, which change tables and therefore come as the owner."""
    url = f"postgresql://{service}_owner:{secret(f'{service}_owner')}@{DATABASE}/{service}"
    return of_service(service) | {f"{service}_database_owner_url": url}


def of_kafka() -> dict[str, str]:
    """The broker's own part of its settings, and the accounts its log is formatted with."""
    users = ("admin", "broker", *SERVICES, *sorted(access.partners(Contracts(CONTRACTS))))
    scram = [f"SCRAM-SHA-512=[name={user},password={secret(f'kafka_{user}')}]" for user in users]
    broker, controller = secret("kafka_broker"), secret("kafka_controller")
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    login = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    lines = [
        f'listener.name.internal.scram-sha-512.sasl.jaas.config={login} username="broker" password="{broker}";',
        f'listener.name.controller.plain.sasl.jaas.config={plain} username="controller" password="{controller}" user_controller="{controller}";',
    ]
    return {
        "server.properties": "\n".join(lines) + "\n",
        "scram": "\n".join(scram) + "\n",
        "cluster": secret("kafka_cluster", "id"),
    }


def of_keycloak() -> dict[str, str]:
    """Variables of the identity provider, in a file that its start reads."""
    named = {
        "KC_DB_PASSWORD": secret("keycloak"),
        "KC_BOOTSTRAP_ADMIN_USERNAME": "admin",
        "KC_BOOTSTRAP_ADMIN_PASSWORD": secret("keycloak_admin"),
        **{f"{client.upper().replace('-', '_')}_SECRET": secret(f"client_{client}") for client in clients()},
    }
    return {"env": "".join(f"{name}='{value}'\n" for name, value in named.items())}


def certificate(host: str) -> dict[str, str]:
    """The certificate of the one name under which all is reached: the office's own, else one that signs itself."""
    if not (SOURCE / "tls.crt").exists():
        key, certificate = certificate_for(host)
        _write(SOURCE / "tls.key", key, 0)
        _write(SOURCE / "tls.crt", certificate, 0)
    return {name: (SOURCE / name).read_text() for name in ("tls.crt", "tls.key")}


def certificate_for(host: str) -> tuple[str, str]:
    """Key and certificate of a name, as PEM: browsers warn of it until the office brings one of an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    now = datetime.now(UTC)
    try:
        other: x509.GeneralName = x509.IPAddress(ip_address(host))
    except ValueError:
        other = x509.DNSName(host)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.SubjectAlternativeName([other]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private.decode(), made.public_bytes(pem).decode()


def give(name: str, text: str) -> None:
    """Keep a secret that others chose, for the next run to hand out. Raises ValueError with a sentence when it cannot be right."""
    if name not in GIVEN:
        raise ValueError(f"there is no such secret; there are {', '.join(GIVEN)}")
    if not text.strip():
        raise ValueError("nothing came in")
    files = pair(text, os.environ.get("SANTUN_HOST", "")) if name == "tls" else {name: text.strip()}
    for file, content in files.items():
        _write(SOURCE / file, content, 0)


def pair(text: str, host: str) -> dict[str, str]:
    """Key and certificate with its chain, out of one PEM text. Raises ValueError when they are not each other's or not the host's."""
    blocks = re.findall(r"-----BEGIN [A-Z ]+-----.+?-----END [A-Z ]+-----\n?", text, re.DOTALL)
    keys = [block for block in blocks if "PRIVATE KEY" in block.partition("\n")[0]]
    chain = [block for block in blocks if block not in keys]
    if len(keys) != 1 or not chain:
        raise ValueError("one private key and its certificate are needed, both PEM, the key without a passphrase")
    key = serialization.load_pem_private_key(keys[0].encode(), password=None)
    leaf = x509.load_pem_x509_certificate(chain[0].encode())
    if key.public_key() != leaf.public_key():
        raise ValueError("the key is not that of the first certificate")
    if leaf.not_valid_after_utc < datetime.now(UTC):
        raise ValueError(f"the certificate ended on {leaf.not_valid_after_utc:%Y-%m-%d}")
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    known = {*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))}
    if not known & {host, f"*.{host.partition('.')[2]}"}:
        raise ValueError(f"the certificate is not for {host}; it is for {', '.join(sorted(known))}")
    return {"tls.key": keys[0], "tls.crt": "".join(chain)}


def ends(certificate: str) -> str:
    """When a certificate ends, as Prometheus reads it."""
    at = x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc
    return f"# TYPE certificate_ends_seconds gauge\ncertificate_ends_seconds {at.timestamp():.0f}\n"


def faults() -> Iterator[str]:
    """Everything that is wrong with the settings of all services, one sentence each."""
    host = os.environ.get("SANTUN_HOST", "")
    if not host or "/" in host or ":" in host:
        yield "SANTUN_HOST is missing or no plain name. The name under which people and systems reach this server."
    for service in SERVICES:
        os.environ["SANTUN_SECRETS_DIR"] = str(ROOT / service)
        try:
            load(import_module(f"{service}.settings").Settings)
        except SettingsError as wrong:
            yield from wrong.faults
    if (os.environ.get("SANTUN_PROFILE") or "production") == "production":
        for name, (example, about) in OF_THE_OFFICE.items():
            if os.environ.get(name, "") in {"", example}:
                yield f"{name} is missing, or still that of the example. {about}"


def main(words: list[str]) -> int:
    """Make the secrets, then say all that is wrong; 0 when nothing is. `give NAME`: keep what comes in on standard input."""
    SOURCE.mkdir(parents=True, exist_ok=True)
    SOURCE.chmod(0o700)
    if words[:1] == ["give"]:
        try:
            give(words[1], sys.stdin.read())
        except ValueError as wrong:
            sys.stderr.write(f"{words[1]}: {wrong}\n")
            return 2
        return 0
    host = os.environ.get("SANTUN_HOST", "") or "localhost"
    for service in SERVICES:
        hand_out(service, SANTUN, of_service(service))
        hand_out(f"{service}-owner", SANTUN, of_owner(service))
    hand_out("topics", SANTUN, of_service("registry") | {"registry_kafka_password": secret("kafka_admin")})
    passwords = {f"{service}_{part}": secret(f"{service}_{part}") for service in SERVICES for part in ("owner", "app")}
    hand_out(
        "postgres",
        POSTGRES,
        {
            "cipher.conf": f"[global]\nrepo1-cipher-pass={secret('backup_passphrase')}\n",
            "superuser": secret("postgres"),
            "replication": secret("replication"),
            "keycloak": secret("keycloak"),
            **passwords,
        },
    )
    tls = certificate(host)
    hand_out("kafka", KAFKA, of_kafka() | {"partners.pem": tls["tls.key"] + tls["tls.crt"]})
    hand_out("keycloak", KEYCLOAK, of_keycloak())
    hand_out("grafana", GRAFANA, {"admin": secret("grafana_admin")})
    hand_out("proxy", NGINX, tls | {"metrics": ends(tls["tls.crt"])})
    wrong = list(faults())
    if wrong:
        sys.stderr.write("The settings are not complete:\n" + "".join(f"  - {line}\n" for line in wrong))
        sys.stderr.write("Put them into the file .env beside docker-compose.yml; .env.example explains each.\n")
        return 2
    sys.stdout.write("settings complete; secrets in place\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
