"""Settings of grants: environment variables `GRANTS_...`; those of every service stand in `kit.settings`."""

from kit.settings import Base
from pydantic import Field
from pydantic_settings import SettingsConfigDict


class Settings(Base):
    """What grants needs beside the settings of every service: the numbers of the regulation profile."""

    model_config = SettingsConfigDict(env_prefix="GRANTS_", extra="ignore", validate_default=True, frozen=True)

    port: int = Field(8103, ge=1, le=65535, description="Port of the API; a process without it shows there how it is.")
    correction_rounds: int = Field(3, ge=1, le=10, description="How often an application may be sent back.")
    correction_days: int = Field(30, ge=1, le=365, description="Days for a correction; afterwards the file lapses.")
    verification_days: int = Field(14, ge=1, le=200, description="Working days to decide; later is marked as late.")
    renewal_days: int = Field(90, ge=1, le=365, description="Days before the end from which a renewal may start.")
    certificate_years: int = Field(
        3, ge=0, le=20, description="Years a certificate holds; 0: certificates have no end."
    )
    appeal_days: int = Field(90, ge=1, le=365, description="Days to object to a refusal.")
