"""The environment variables of the services on one machine: the one place that says them.

Names and meanings are those of `kit.settings` and each service's own settings; `santun` adds nothing else.
"""

import os
from pathlib import Path
from typing import Final

from stack import databases
from stack.keyring import Keyring
from stack.places import CONTRACTS, SERVICES, Ports
from stack.postgres import Postgres

_PASSED_ON: Final = (
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "TZ",
    "SANTUN_FAILPOINT",
    "SANTUN_OTLP_ENDPOINT",
    "SANTUN_LOG_LEVEL",
)


def base_url(port: int) -> str:
    """The address of something that listens on the loopback address."""
    return f"http://127.0.0.1:{port}"


def of_service(service: str, *, keys: Keyring, ports: Ports, postgres: Postgres, data: Path) -> dict[str, str]:
    """Everything the process of a service is started with (without the owner role: it cannot migrate)."""
    issuer = base_url(ports.idp)
    shared = {
        "SANTUN_PROFILE": "demonstration",
        "SANTUN_KAFKA_BOOTSTRAP": f"127.0.0.1:{ports.kafka}",
        "SANTUN_ISSUER": issuer,
        "SANTUN_JWKS_URL": f"{issuer}/jwks",
        "SANTUN_TOKEN_URL": f"{issuer}/token",
        "SANTUN_CONTRACTS_DIR": str(CONTRACTS),
        "SANTUN_CLOCK_FILE": str(data / "clock"),
        "SANTUN_LOG_FORMAT": "json",
        "SANTUN_INSTANCE": "only",
        **{f"SANTUN_{name.upper()}_URL": base_url(ports.service(name)) for name in SERVICES},
    }
    own = {
        "PORT": str(ports.service(service)),
        "PUBLIC_URL": base_url(ports.service(service)),
        "DATABASE_URL": postgres.url(service, databases.app(service), keys.databases[service][1]),
        "CLIENT_ID": f"santun-{service}",
        "CLIENT_SECRET": keys.clients[f"santun-{service}"],
        "CURSOR_SECRET": keys.cursors[service],
        "FIELD_KEYS": keys.field_keys[service],
        "INDEX_KEYS": keys.index_keys[service],
        **_of_one(service, keys, ports, data),
    }
    inherited = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**inherited, **shared, **{f"{service.upper()}_{name}": value for name, value in own.items()}}


def _of_one(service: str, keys: Keyring, ports: Ports, data: Path) -> dict[str, str]:
    """What only one service needs."""
    if service == "registry":
        return {"IMPORTS_DIR": str(data / "imports")}
    if service != "notifications":
        return {}
    return {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(ports.smtp),
        "SMS_URL": base_url(ports.gateways["sms"]),
        "WHATSAPP_URL": base_url(ports.gateways["whatsapp"]),
        "PROVIDER_TOKEN": keys.provider_token,
        "RECEIPT_SECRET": keys.receipt_secret,
    }


def owner_url(service: str, keys: Keyring, postgres: Postgres) -> str:
    """The address with which migrations run."""
    return postgres.url(service, databases.owner(service), keys.databases[service][0])
