"""The long-lived objects of disbursement: the way to the registry, texts, days off. Made once per process."""

from dataclasses import dataclass

from kit.http.client import ServiceClient
from kit.http.problems import Texts, texts
from kit.runtime import Runtime

from disbursement.claims import calendar
from disbursement.claims.deadline import Calendar
from disbursement.payee_client import HttpPayeeDesk, PayeeDesk
from disbursement.registry_client import HttpRegistry, Registry
from disbursement.settings import Settings


@dataclass(slots=True)
class Wiring:
    """What routes, handlers and jobs find at `runtime.wiring`."""

    settings: Settings
    registry: Registry
    desk: PayeeDesk
    texts: Texts
    calendar: Calendar


def wire(runtime: Runtime) -> Wiring:
    """Read texts and calendar (a fault in them stops the start), and make the clients."""
    settings = runtime.settings
    if not isinstance(settings, Settings):
        raise TypeError("disbursement runs on its own settings")
    client = ServiceClient("registry", settings.registry_url, settings)
    return Wiring(
        settings=settings,
        registry=HttpRegistry(client),
        desk=HttpPayeeDesk(client),
        texts=texts(settings.contracts_dir),
        calendar=calendar.load(settings.contracts_dir),
    )
