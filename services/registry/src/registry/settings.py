"""Settings of the registry: environment variables `REGISTRY_...`; those of every service stand in `kit.settings`."""

import os
from pathlib import Path

from kit.settings import Base
from pydantic import Field
from pydantic_settings import SettingsConfigDict


class Settings(Base):
    """What the registry needs beside the settings of every service."""

    model_config = SettingsConfigDict(env_prefix="REGISTRY_", extra="ignore", validate_default=True, frozen=True)

    port: int = Field(8101, ge=1, le=65535, description="Port of the API; a process without it shows there how it is.")
    burial_book_certifies: bool = Field(
        default=False,
        description="Whether a burial book (buku makam) with a letter of the kelurahan counts as an akta.",
    )
    imports_dir: Path = Field(
        Path(".santun/imports"), description="Folder of uploaded lists, encrypted; shared by api and work processes."
    )
    import_max_bytes: int = Field(
        256 * 1024 * 1024, ge=1024, le=500 * 1024 * 1024, description="Largest list that may be uploaded, in bytes."
    )


def contracts_dir() -> Path:
    """The contracts folder for migrations, which run before settings are complete: variable, else above this file."""
    named = os.environ.get("REGISTRY_CONTRACTS_DIR") or os.environ.get("SANTUN_CONTRACTS_DIR")
    if named:
        return Path(named)
    for folder in (Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents):
        if (folder / "contracts" / "regions").is_dir():
            return folder / "contracts"
    raise FileNotFoundError("contracts/regions is not here; set REGISTRY_CONTRACTS_DIR")
