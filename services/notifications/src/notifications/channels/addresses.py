"""Addresses in their stored form, their keyed hash and what of them may be shown. Plain addresses stay in memory."""

import re

import phonenumbers
from kit.crypto.fields import BlindIndex

from notifications.messages.states import Channel

_MAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_MOST = 254
_SHOWN = 3


def normal(channel: Channel, raw: str) -> str | None:
    """The address as it is compared and sent to: E.164, or mail in lower case. None when it is no address of the channel."""
    if channel is Channel.EMAIL:
        text = raw.strip().lower()
        return text if len(text) <= _MOST and _MAIL.fullmatch(text) else None
    try:
        number = phonenumbers.parse(raw, "ID")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def masked(channel: Channel, address: str) -> str:
    """Enough for a clerk to recognise it beside the person, too little to write to: `+62***789`, `w***@***.id`."""
    if channel is Channel.EMAIL:
        local, _, domain = address.partition("@")
        return f"{local[:1]}***@***.{domain.rpartition('.')[2]}"
    return f"{address[:_SHOWN]}***{address[-_SHOWN:]}"


def index(blind: BlindIndex, channel: Channel, address: str) -> bytes:
    """The keyed hash under which an address is suppressed and recognised; phone and WhatsApp are different ways."""
    return blind.of(f"contact:{channel.value}", address)
