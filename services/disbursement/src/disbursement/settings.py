"""Settings of disbursement: environment variables `DISBURSEMENT_...`; those of every service stand in `kit.settings`."""

from kit.settings import Base
from pydantic import Field
from pydantic_settings import SettingsConfigDict


class Settings(Base):
    """What disbursement needs beside the settings of every service."""

    model_config = SettingsConfigDict(env_prefix="DISBURSEMENT_", extra="ignore", validate_default=True, frozen=True)

    port: int = Field(8102, ge=1, le=65535, description="Port of the API; a process without it shows there how it is.")
    registry_url: str = Field("http://127.0.0.1:8101", description="Where registry answers questions about people.")
    grants_url: str = Field("http://127.0.0.1:8103", description="Where grants answers questions about institutions.")
    office_name: str = Field("Dinas Sosial", max_length=70, description="Name of the payer in files to the bank.")
    distribution_account: str = Field(
        "0000000000", pattern=r"^[0-9]{5,34}$", description="Account from which aid is paid (rekening penyaluran)."
    )
    distribution_bank: str = Field("000", pattern=r"^[0-9A-Z]{3,11}$", description="Bank code of that account.")
