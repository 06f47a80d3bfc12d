"""What is done with the directory: enter an address, retire it. An address is never changed, only replaced."""

from dataclasses import dataclass, field
from uuid import UUID

from kit.db.uow import UnitOfWork, lock
from kit.errors import Conflict, Invalid
from kit.ids import new_id

from notifications.channels import addresses
from notifications.directory.store import place
from notifications.directory.tables import DirectoryRow
from notifications.messages.states import Channel


@dataclass(frozen=True, slots=True)
class Enter:
    """An office (role) or an institution, and where its mail goes."""

    role: str | None
    institution_id: UUID | None
    region_code: str
    locale: str
    mail: str = field(repr=False)
    id: UUID | None = None
    client_ref: str | None = None


async def enter(uow: UnitOfWork, command: Enter) -> DirectoryRow:
    """Enter an address. Raises OutOfRegion, Invalid for what is no mail address. The address is sealed at once."""
    uow.within(command.region_code)
    mail = addresses.normal(Channel.EMAIL, command.mail)
    if mail is None:
        raise Invalid.field("/mail", "alamat_tidak_sah")
    id = command.id or new_id()
    row = DirectoryRow(
        id=id,
        client_ref=command.client_ref,
        kind="office" if command.role else "institution",
        role=command.role,
        institution_id=command.institution_id,
        region_code=command.region_code,
        locale=command.locale,
        address_enc=uow.runtime.fields.seal(mail, at=place(id)),
        address_index=addresses.index(uow.runtime.index, Channel.EMAIL, mail),
        address_masked=addresses.masked(Channel.EMAIL, mail),
    )
    await uow.save(row)
    await uow.audit(
        "enter", "directory_entry", row, after={"kind": row.kind, "role": row.role, "region": row.region_code}
    )
    return row


async def retire(uow: UnitOfWork, id: UUID, expected: int) -> DirectoryRow:
    """Stop writing to an address. Raises Missing, Stale, OutOfRegion, Conflict when it was retired before."""
    row = await lock(uow, DirectoryRow, id, expected)
    if row.retired_at is not None:
        raise Conflict("sudah_tidak_dipakai")
    row.retired_at = uow.now
    await uow.save(row)
    await uow.audit("retire", "directory_entry", row, after={"kind": row.kind})
    return row
