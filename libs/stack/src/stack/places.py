"""Where things are: the clone, the data folder, the ports. The one place that knows the default numbers."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stack.trouble import Trouble

ROOT: Final = Path(__file__).resolve().parents[4]
"""The clone: `libs/stack/src/stack` lies four folders below it."""

CONTRACTS: Final = ROOT / "contracts"
SERVICES: Final = ("registry", "disbursement", "grants", "notifications")
BASE: Final = 8100


def data() -> Path:
    """The data folder: `.santun` in the clone, or what SANTUN_DATA names (a second stack on one machine)."""
    return Path(os.environ.get("SANTUN_DATA") or ROOT / ".santun").absolute()


def members() -> tuple[str, ...]:
    """The services that run: all four, or those that SANTUN_SERVICES names (`registry,grants`; `none` for none).

    Raises Trouble for a name that is no service.
    """
    text = os.environ.get("SANTUN_SERVICES", "")
    if not text:
        return SERVICES
    wanted = {name.strip() for name in text.split(",")} - {"none", ""}
    if strange := wanted - set(SERVICES):
        raise Trouble(
            f"SANTUN_SERVICES names {', '.join(sorted(strange))}.", f"The services are: {', '.join(SERVICES)}"
        )
    return tuple(name for name in SERVICES if name in wanted)


def migrations(service: str) -> Path:
    """The migrations folder of a service."""
    return ROOT / "services" / service / "migrations"


@dataclass(frozen=True, slots=True)
class Ports:
    """Every port of the stack, all moved together by one setting."""

    base: int = BASE

    @classmethod
    def of_environment(cls) -> "Ports":
        """Ports as SANTUN_PORT_BASE says (8100 when unset). Raises Trouble for a number that cannot be."""
        text = os.environ.get("SANTUN_PORT_BASE") or str(BASE)
        if not text.isdigit() or not 1_024 <= int(text) <= 54_000:
            raise Trouble(
                f"SANTUN_PORT_BASE is {text!r}, which is no usable port.",
                "Choose a number from 1024 to 54000, for example SANTUN_PORT_BASE=8300.",
            )
        return cls(int(text))

    @property
    def idp(self) -> int:
        """The development identity provider."""
        return self.base

    def service(self, name: str) -> int:
        """The HTTP port of a service."""
        return self.base + 1 + SERVICES.index(name)

    @property
    def gateways(self) -> dict[str, int]:
        """The simulated SMS and WhatsApp providers."""
        return {"sms": self.base + 5, "whatsapp": self.base + 6}

    @property
    def postgres(self) -> int:
        """PostgreSQL."""
        return self.base - BASE + 15_432

    @property
    def kafka(self) -> int:
        """Kafka, for clients."""
        return self.base - BASE + 19_092

    @property
    def kafka_controller(self) -> int:
        """Kafka, for itself."""
        return self.base - BASE + 19_093

    @property
    def smtp(self) -> int:
        """The mail catcher."""
        return self.base - BASE + 11_025
