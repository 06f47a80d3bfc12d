"""Settings of a service: environment variables with its prefix, checked all at once before anything starts.

A service subclasses `Base` with its own `env_prefix`. A variable `SANTUN_<NAME>` counts for every service that has no
`<SERVICE>_<NAME>` of its own; secrets may also stand as files (named like the variable, lower case) in the folder that
`SANTUN_SECRETS_DIR` names.
"""

import os
import ssl
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SecretsSettingsSource

from kit.clock import OfficeZone

SHARED_PREFIX = "SANTUN_"
KNOWN_SECRET = "demonstration-only-"  # noqa: S105 - known to all on purpose
"""Every default secret starts so; production refuses them."""
_SECRET_LENGTH = 32
_DEMO_KEY = f"1:{'11' * 32}"

Profile = Literal["production", "development", "demonstration", "test"]


class GivenSecret(SecretStr):
    """A secret that somebody else chooses, a mail server or a provider: it may be as short as theirs is."""


class SettingsError(Exception):
    """The service cannot start; `faults` holds one plain sentence for each thing that is wrong."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(["The settings are not complete:", *(f"  - {fault}" for fault in faults)]))
        self.faults = faults


def _contracts() -> Path:
    """The `contracts` folder of the clone: above the working directory, else above this file."""
    for start in (Path.cwd(), Path(__file__).resolve()):
        for folder in (start, *start.parents):
            if (folder / "contracts" / "reference").is_dir():
                return folder / "contracts"
    return Path("contracts")


class Base(BaseSettings):
    """What every service needs. Each field says what it is for; `check-config` prints these sentences."""

    model_config = {"extra": "ignore", "validate_default": True, "frozen": True}

    profile: Profile = Field("production", description="How strict the service is: production refuses every shortcut.")
    host: str = Field("127.0.0.1", description="Address on which the API listens.")
    port: int = Field(8100, ge=1, le=65535, description="Port of the API; a process without it shows there how it is.")
    public_url: str = Field("", description="Address under which others reach the API, for its OpenAPI document.")
    database_url: GivenSecret = Field(description="PostgreSQL address of the application role (postgresql://...).")
    database_owner_url: GivenSecret | None = Field(
        None, description="PostgreSQL address of the owner role; only the migrate command needs it."
    )
    database_pool_size: int = Field(10, ge=1, le=200, description="Most connections one process opens.")
    kafka_bootstrap: str = Field("127.0.0.1:19092", description="Kafka servers, host:port separated by commas.")
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How Kafka is spoken to: SSL hides what is said, SASL asks for name and password."
    )
    kafka_user: str = Field("", description="Name of this service at Kafka (SCRAM-SHA-512).")
    kafka_password: SecretStr | None = Field(None, description="Password of that name; needed with SASL.")
    kafka_ca: Path | None = Field(None, description="Authority behind Kafka's certificates; empty: the machine's own.")
    instance: str = Field(
        "", description="Stable name of this process in its consumer group; a restarted one takes its place at once."
    )
    topic_prefix: str = Field("", description="Text before every topic and group name; lets tests share one Kafka.")
    issuer: str = Field("http://127.0.0.1:8100", description="Issuer (iss) whose access tokens are accepted.")
    audience: str = Field("santun", description="Audience (aud) that a token must name.")
    jwks_url: str = Field("http://127.0.0.1:8100/jwks", description="Where the issuer publishes its keys.")
    token_url: str = Field("http://127.0.0.1:8100/token", description="Where this service fetches its own tokens.")
    client_id: str = Field("", description="Client name of this service at the issuer; empty: it calls nobody.")
    client_secret: SecretStr = Field(
        SecretStr(KNOWN_SECRET + "client"), description="Client secret of this service at the issuer."
    )
    cursor_secret: SecretStr = Field(
        SecretStr(KNOWN_SECRET + "cursors"), description="Signs the cursors of lists; same in every process."
    )
    field_keys: SecretStr = Field(
        SecretStr(_DEMO_KEY),
        description="Keys of encrypted fields, 'number:64 hex digits' separated by commas; the last one seals.",
    )
    index_keys: SecretStr = Field(
        SecretStr(_DEMO_KEY), description="Keys of blind indexes, written like field_keys; the last one is used."
    )
    contracts_dir: Path = Field(default_factory=_contracts, description="The contracts folder: schemas, texts, codes.")
    clock_file: Path | None = Field(
        None, description="File that moves the business clock; only in the demonstration and test profiles."
    )
    office_zone: OfficeZone = Field("Asia/Jakarta", description="Zone in which the office counts its days.")
    log_format: Literal["auto", "json", "pretty"] = Field("auto", description="auto: pretty in a terminal, else JSON.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    otlp_endpoint: str = Field("", description="OpenTelemetry collector (OTLP over HTTP); empty: no traces leave.")
    drain_seconds: int = Field(10, ge=1, le=300, description="How long a stopping process finishes its requests.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - a file beside the code is no place for settings
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - replaced by SANTUN_SECRETS_DIR
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, the service's variables, shared variables, secret files: the first that has a value counts."""
        sources = [init_settings, env_settings, EnvSettingsSource(settings_cls, env_prefix=SHARED_PREFIX)]
        folder = os.environ.get("SANTUN_SECRETS_DIR")
        if folder:
            sources.append(SecretsSettingsSource(settings_cls, secrets_dir=folder))
        return tuple(sources)

    @field_validator("*", mode="after")
    @classmethod
    def _no_shortcut_in_production(cls, value: object, info: ValidationInfo) -> object:
        profile = info.data.get("profile", "production")
        if info.field_name == "clock_file" and value is not None and profile not in {"demonstration", "test"}:
            raise ValueError("the business clock may be moved only in the demonstration and test profiles")
        if profile != "production":
            return value
        if isinstance(value, SecretStr):
            text = value.get_secret_value()
            if text.startswith(KNOWN_SECRET) or text == _DEMO_KEY:
                raise ValueError("production needs a secret of its own, not the published default")
            if len(text) < _SECRET_LENGTH and not isinstance(value, GivenSecret):
                raise ValueError(f"production needs at least {_SECRET_LENGTH} characters")
        if info.field_name == "jwks_url" and isinstance(value, str) and value.startswith("file:"):
            raise ValueError("production fetches keys from the issuer, not from a file")
        return value

    @field_validator("kafka_password", mode="after")
    @classmethod
    def _a_password_where_one_is_asked_for(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if str(info.data.get("kafka_security")).startswith("SASL") and not (value and info.data.get("kafka_user")):
            raise ValueError("SASL needs a name (KAFKA_USER) and its password")
        return value

    def kafka(self) -> dict[str, Any]:
        """What every client of Kafka is made with."""
        secured = self.kafka_security.endswith("SSL")
        password = self.kafka_password.get_secret_value() if self.kafka_password else None
        return {
            "bootstrap_servers": self.kafka_bootstrap, "security_protocol": self.kafka_security,
            "ssl_context": ssl.create_default_context(cafile=self.kafka_ca) if secured else None,
            "sasl_mechanism": "SCRAM-SHA-512", "sasl_plain_username": self.kafka_user or None,
            "sasl_plain_password": password,
        }  # fmt: skip


S = TypeVar("S", bound=Base)


def variable(cls: type[Base], field: str) -> str:
    """The environment variable of a field: `REGISTRY_DATABASE_URL`."""
    return f"{cls.model_config.get('env_prefix', '')}{field}".upper()


def load(cls: type[S], **given: object) -> S:
    """Read and check the settings. Raises SettingsError that lists everything that is wrong, never a value."""
    try:
        return cls(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        faults = []
        for fault in error.errors(include_url=False, include_input=False, include_context=False):
            field = str(fault["loc"][0])
            about = cls.model_fields[field].description or ""
            wrong = "is missing" if fault["type"] == "missing" else f"is wrong: {fault['msg']}"
            faults.append(f"{variable(cls, field)} {wrong}. {about}")
        raise SettingsError(faults) from None


def table(settings: Base) -> list[tuple[str, str, str]]:
    """What `check-config` prints: variable, value in force (secrets hidden), and what it is for."""
    rows = []
    for field, about in type(settings).model_fields.items():
        value = getattr(settings, field)
        shown = "********" if isinstance(value, SecretStr) else "" if value is None else str(value)
        rows.append((variable(type(settings), field), shown, about.description or ""))
    return rows
