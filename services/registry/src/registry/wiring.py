"""The long-lived objects of a registry process beside the kit's: the codes that NIK are checked against, the profile."""

from kit.db.uow import UnitOfWork
from kit.runtime import Runtime

from registry.identities import queries as identities
from registry.settings import Settings


class Wiring:
    """What commands ask of their process. `burial_book_certifies`: whether this office takes a burial book for an akta."""

    def __init__(self, settings: Settings) -> None:
        self.burial_book_certifies = settings.burial_book_certifies
        self._districts: frozenset[str] | None = None

    async def districts(self, uow: UnitOfWork) -> frozenset[str]:
        """All Kemendagri codes down to the kecamatan, read once a process (they change with a migration)."""
        if self._districts is None:
            self._districts = await identities.districts(uow)
        return self._districts


def wire(runtime: Runtime) -> Wiring:
    """Make the wiring of a process. Raises TypeError for settings of another service."""
    if not isinstance(runtime.settings, Settings):
        raise TypeError("the registry is wired with its own settings")
    return Wiring(runtime.settings)
