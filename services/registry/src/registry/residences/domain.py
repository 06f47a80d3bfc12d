"""Residences: one KTP address and one domicile a day; a new one ends the old on the day it begins. Pure."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from kit.machine import SYSTEM, Context, Reason, Refusal


class Kind(StrEnum):
    KTP = "ktp"  # where the card says
    DOMICILE = "domisili"  # where the person lives


CLERKS = frozenset({"op_desa", "op_kab", "verifikator", SYSTEM})


@dataclass(frozen=True, slots=True)
class Settle:
    """Begin to live, or to be registered, at a place. None: since nobody knows when."""

    kind: Kind
    region_code: str
    since: date | None


def decide(current_since: date | None, settled: bool, command: Settle, ctx: Context) -> date | Refusal | None:
    """The day on which the former residence ends (None: there was none), or the refusal.

    `settled` says whether there is a current residence of the kind, `current_since` when it began (None: unknown).
    """
    if not ctx.roles & CLERKS:
        return Refusal("role", (Reason("peran_tidak_berwenang"),))
    reasons = []
    if command.since is not None and command.since > ctx.today:
        reasons.append("tanggal_di_masa_depan")
    if settled and command.since is None:
        reasons.append("tanggal_mulai_wajib")
    if settled and current_since is not None and command.since is not None and command.since <= current_since:
        reasons.append("tanggal_tumpang_tindih")
    if reasons:
        return Refusal.because(*reasons)
    return command.since if settled else None
