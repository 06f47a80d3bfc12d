"""The first job of a start: looks at every setting at once, then makes the secrets that do not exist yet.

Runs in the image of the services. Secrets lie in one volume: `source/` holds each of them once, for this job and the
office's administrators alone; every other folder holds what one container may read, in the form it reads it. A secret that
the office brings itself (the password of its mail server, its own certificate) is put into `source/` before the start:

    smtp_password   provider_token   receipt_secret   tls.crt   tls.key
"""

import os
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


def faults() -> Iterator[str]:
    """Everything that is wrong with the settings of all services, one sentence each."""
    host = os.environ.get("SANTUN_HOST", "")
    if not host or "/" in host or ":" in host:
        yield "SANTUN_HOST is missing or no plain name. The name under which people and systems reach this server."
    for service in SERVICES:
        os.environ["SANTUN_SECRETS_DIR"] = str(ROOT / service)
        try:
            settings = load(import_module(f"{service}.settings").Settings)
        except SettingsError as wrong:
            yield from wrong.faults
            continue
        if settings.profile == "production":
            yield from _published_defaults(service, settings)


def _published_defaults(service: str, settings: object) -> Iterator[str]:
    """Defaults that make sense on a developer's machine and nowhere else."""
    wrong = {
        "distribution_account": ("0000000000", "The account from which aid is paid."),
        "distribution_bank": ("000", "The bank of that account."),
        "smtp_host": ("127.0.0.1", "The mail server of the office."),
        "smtp_sender": ("pemberitahuan@dinsos.example", "The address from which mails are sent."),
    }
    for field, (default, about) in wrong.items():
        if getattr(settings, field, None) == default:
            yield f"{service.upper()}_{field.upper()} is missing. {about}"


def main() -> int:
    """Make the secrets, then say all that is wrong; 0 when nothing is."""
    SOURCE.mkdir(parents=True, exist_ok=True)
    SOURCE.chmod(0o700)
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
    hand_out("proxy", NGINX, tls)
    wrong = list(faults())
    if wrong:
        sys.stderr.write("The settings are not complete:\n" + "".join(f"  - {line}\n" for line in wrong))
        sys.stderr.write("Put them into the file .env beside docker-compose.yml; .env.example explains each.\n")
        return 2
    sys.stdout.write("settings complete; secrets in place\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
