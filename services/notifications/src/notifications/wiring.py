"""The long-lived objects of notifications: the book, the texts, the way to registry, the ways out. Made once per process."""

from dataclasses import dataclass

import yaml
from kit.http.client import ServiceClient
from kit.runtime import Runtime

from notifications.channels.outlets import Outlet
from notifications.channels.smtp import Relay, Smtp
from notifications.channels.webhook import Webhook
from notifications.messages.contacts import Contacts
from notifications.messages.states import Channel
from notifications.rules.book import Book
from notifications.settings import Settings
from notifications.templates.library import Library


@dataclass(slots=True)
class Wiring:
    """What handlers and workers find at `runtime.wiring`."""

    settings: Settings
    book: Book
    library: Library
    contacts: Contacts
    outlets: dict[Channel, Outlet]
    """The channels that are configured; a channel that is missing here is not used."""


def wire(runtime: Runtime) -> Wiring:
    """Read the rules and texts (a fault in them stops the start), and make the clients."""
    settings = runtime.settings
    if not isinstance(settings, Settings):
        raise TypeError("notifications runs on its own settings")
    reasons = yaml.safe_load((settings.contracts_dir / "reference" / "reasons.yaml").read_text("utf-8"))
    office = {"office": settings.office_name, "office_phone": settings.office_phone}
    return Wiring(
        settings=settings,
        book=Book.load(),
        library=Library(reasons, office, settings.office_zone),
        contacts=Contacts(ServiceClient("registry", settings.registry_url, settings)),
        outlets=_outlets(settings, runtime),
    )


def _outlets(settings: Settings, runtime: Runtime) -> dict[Channel, Outlet]:
    relay = Relay(
        host=settings.smtp_host,
        port=settings.smtp_port,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value(),
        tls=settings.smtp_tls,
        sender=settings.smtp_sender,
        sender_name=settings.office_name,
    )
    outlets: dict[Channel, Outlet] = {
        Channel.EMAIL: Smtp(relay, runtime.clock, per_minute=settings.smtp_per_minute),
    }
    token = settings.provider_token.get_secret_value()
    for channel, url, rate in (
        (Channel.SMS, settings.sms_url, settings.sms_per_minute),
        (Channel.WHATSAPP, settings.whatsapp_url, settings.whatsapp_per_minute),
    ):
        if url:
            outlets[channel] = Webhook(name=channel.value, channel=channel, url=url, token=token, per_minute=rate)
    return outlets
