"""What providers write in their receipts, read into one form. Two shapes: our port's own, and Meta's for WhatsApp.

Pure; nothing of a receipt but references, status and a code goes on from here: no number, no name, no text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

_CODE_LENGTH = 40
_REF_LENGTH = 120
MOST_REPORTS = 1000


class Status(StrEnum):
    DELIVERED = "delivered"
    FAILED = "failed"
    REFUSED_FOR_NOW = "refused_for_now"
    SENT = "sent"  # the provider took it: proof of acceptance, nothing more
    READ = "read"  # engagement; never changes delivery
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Report:
    """One status of one call."""

    status: Status
    provider_ref: str | None
    reference: UUID | None
    code: str | None


META_CODES = {
    "131026": "bukan_whatsapp",
    "131047": "jendela_tertutup",
    "131049": "ditahan_penyedia",
    "131014": "permintaan_ditolak",
    "131056": "terlalu_sering",
    "130429": "batas_penyedia",
}
_META_FOR_NOW = frozenset({"131056", "130429"})
DEAD_ADDRESS = frozenset({"nomor_tidak_dikenal", "nomor_mati", "bukan_whatsapp"})
"""Codes that say that the address itself is at fault."""


class Unreadable(ValueError):
    """The receipt has neither shape."""


def read(body: Any) -> list[Report]:
    """The reports in a receipt, at most a thousand. Raises Unreadable."""
    if not isinstance(body, Mapping):
        raise Unreadable
    source = _own(body) if "receipts" in body else _meta(body) if "entry" in body else None
    if source is None:
        raise Unreadable
    try:
        found = list(source)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Unreadable from None
    if len(found) > MOST_REPORTS:
        raise Unreadable
    return found


def _own(body: Mapping[str, Any]) -> Iterator[Report]:
    for one in body["receipts"]:
        reference = UUID(str(one["reference"])) if one.get("reference") else None
        ref = _ref(one["id"]) if one.get("id") else None
        if reference is None and ref is None:
            raise Unreadable
        yield Report(_status(str(one.get("status"))), ref, reference, code_of(one.get("error")))


def _meta(body: Mapping[str, Any]) -> Iterator[Report]:
    for entry in body["entry"]:
        for change in entry["changes"]:
            for status in change["value"].get("statuses", ()):
                said = _status(str(status["status"]))
                number = str((status.get("errors") or [{}])[0].get("code", ""))
                if said is Status.FAILED and number in _META_FOR_NOW:
                    said = Status.REFUSED_FOR_NOW
                code = META_CODES.get(number, "ditolak_penyedia") if number else None
                yield Report(said, _ref(status["id"]), None, code)


def _ref(raw: object) -> str:
    """The provider's own number of a call. One that no table could hold makes the receipt unreadable, not the work list."""
    if not isinstance(raw, str | int) or not (ref := str(raw)[:_REF_LENGTH]) or not ref.isprintable():
        raise Unreadable
    return ref


def _status(text: str) -> Status:
    return Status(text) if text in set(Status) else Status.OTHER


def code_of(raw: object) -> str | None:
    """A provider's error as a code of ours; anything that could hold more than a code is not kept."""
    if raw is None:
        return None
    text = str(raw)[:_CODE_LENGTH].lower()
    return text if text.replace("_", "").isalnum() and not text.isdigit() and text.isascii() else "ditolak_penyedia"
