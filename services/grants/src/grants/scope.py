"""Whose institutions an actor sees: by region, and for users of an institution only their own."""

from uuid import UUID

from kit.auth.actor import Actor
from kit.db.uow import UnitOfWork
from kit.errors import OutOfRegion
from sqlalchemy import TextClause, text

OFFICE = frozenset(
    {
        "dinsos_operator", "verifikator", "kabid", "kadis", "sekretaris", "inspektorat", "lkks_pendamping",
        "tim_evaluasi", "setda", "bupati_delegate", "sekwan", "bpkad", "dpo",
    }
)  # fmt: skip
INSTITUTION_USERS = frozenset({"lks_pengurus", "lks_pimpinan"})

IN_REGIONS = text("(current_setting('santun.regions', true) = '*' OR santun_region_allowed(region_code))")
"""For tables with `region_code`; the transaction carries the actor's prefixes."""


def only_own(actor: Actor) -> bool:
    """Whether the actor is a user of an institution and nothing else."""
    return bool(actor.roles & INSTITUTION_USERS) and not actor.roles & OFFICE


def is_own(actor: Actor, institution_id: UUID) -> bool:
    """Whether the institution is not closed to the actor by being somebody else's."""
    return not only_own(actor) or actor.unit == str(institution_id)


def check(uow: UnitOfWork, region_code: str, institution_id: UUID) -> None:
    """Raise OutOfRegion (404) for another region, or for an institution user before another institution."""
    uow.within(region_code)
    if not is_own(uow.actor, institution_id):
        raise OutOfRegion


def narrowing(actor: Actor, column: str = "institution_id") -> TextClause:
    """The same rule for lists; `column` is one of two names of ours."""
    if not only_own(actor):
        return text("true")
    own = {"institution_id": OWN_FILES, "id": OWN_INSTITUTION}[column]
    return own.bindparams(own=actor.unit or "")


OWN_FILES = text("institution_id::text = :own")
OWN_INSTITUTION = text("id::text = :own")
