"""Phone numbers and mail addresses as they are stored and compared. Pure."""

import re

import phonenumbers

_MAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_MAX_MAIL = 254


def phone(raw: str) -> str | None:
    """The number in E.164 (`+628123456789`); numbers without a country are Indonesian. None when it is no number."""
    try:
        number = phonenumbers.parse(raw, "ID")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def mail(raw: str) -> str | None:
    """The address in lower case, or None when it has not the shape of one."""
    text = raw.strip().lower()
    return text if len(text) <= _MAX_MAIL and _MAIL.fullmatch(text) else None


def normalise(kind: str, raw: str) -> str | None:
    """The stored form for a kind of contact: `phone`, `wa` or `email`."""
    return mail(raw) if kind == "email" else phone(raw)
