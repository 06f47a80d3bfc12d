"""Settings of notifications: environment variables `NOTIFICATIONS_...`; those of every service stand in `kit.settings`."""

from typing import Literal

from kit.settings import KNOWN_SECRET, Base, GivenSecret
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict


class Settings(Base):
    """What notifications needs beside the settings of every service."""

    model_config = SettingsConfigDict(env_prefix="NOTIFICATIONS_", extra="ignore", validate_default=True, frozen=True)

    port: int = Field(8104, ge=1, le=65535, description="Port of the API; a process without it shows there how it is.")
    registry_url: str = Field("http://127.0.0.1:8101", description="Where registry answers: contacts are asked there.")
    office_name: str = Field("Dinas Sosial", description="Name of the office as it signs its messages.")
    office_phone: str = Field("112", description="Number that people call with questions; stands in many texts.")
    office_region: str = Field("32.76", description="Region of the office: that of events which name none.")
    smtp_host: str = Field("127.0.0.1", description="Mail server that takes our mails.")
    smtp_port: int = Field(11025, ge=1, le=65535, description="Port of the mail server.")
    smtp_tls: Literal["none", "starttls", "tls"] = Field("none", description="How the connection is protected.")
    smtp_user: str = Field("", description="User at the mail server; empty: no login.")
    smtp_password: GivenSecret = Field(
        GivenSecret(KNOWN_SECRET + "smtp-not-used"), description="Password at the mail server."
    )
    smtp_sender: str = Field(
        "pemberitahuan@dinsos.example", description="Sender address; its domain is in Message-IDs."
    )
    smtp_per_minute: int = Field(600, ge=1, le=60_000, description="Mails a minute over all workers.")
    sms_url: str = Field("", description="HTTP address of the SMS provider; empty: no SMS is sent.")
    sms_per_minute: int = Field(1200, ge=1, le=60_000, description="SMS a minute over all workers.")
    whatsapp_url: str = Field("", description="HTTP address of the WhatsApp provider; empty: no WhatsApp is sent.")
    whatsapp_per_minute: int = Field(1200, ge=1, le=60_000, description="WhatsApp messages a minute over all workers.")
    provider_token: GivenSecret = Field(
        GivenSecret(KNOWN_SECRET + "provider-token"), description="Bearer token for the SMS and WhatsApp providers."
    )
    receipt_secret: SecretStr = Field(
        SecretStr(KNOWN_SECRET + "receipt-signature"),
        description="Key with which providers sign their receipts (HMAC).",
    )
    lease_seconds: int = Field(120, ge=10, le=3600, description="How long a worker may hold a message it sends.")
    send_batch: int = Field(50, ge=1, le=500, description="Messages that a worker claims at once per channel.")
    parallel_calls: int = Field(10, ge=1, le=100, description="Calls to one provider at the same time.")
