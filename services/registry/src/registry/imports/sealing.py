"""The restricted values of a read line are sealed here, on their way into COPY: no plaintext of class R goes further.

Only `parsing` comes in here.
"""

from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from kit.crypto.fields import BlindIndex, FieldCipher
from kit.ids import new_id

from registry.imports.lines import Line
from registry.payees import accounts
from registry.restricted import (
    ACCOUNT,
    ACCOUNT_NUMBER,
    CARD_NUMBER,
    CLAIM_VALUE,
    CONTACT_VALUE,
    EMAIL,
    NIK,
    PHONE,
    STREET,
    seal,
)


class Staged(NamedTuple):
    """A row of the staging table, in its column order (migration 0002). `ref` names the row within its list."""

    run_id: UUID
    line: int
    ref: str
    family_ref: str | None
    digest: bytes
    person_id: UUID
    name: str
    name_norm: str
    suffix: str | None
    sex: str | None
    birth_date: date | None
    relation: int
    status: int
    region_code: str
    rt: int | None
    rw: int | None
    claim_id: UUID | None
    nik_enc: bytes | None
    nik_bidx: bytes | None
    nik_last4: str | None
    nik_structure: str | None
    nik_warnings: list[str]
    card_id: UUID | None
    kk_enc: bytes | None
    kk_bidx: bytes | None
    kk_last4: str | None
    kk_warnings: list[str]
    residence_id: UUID
    street_enc: bytes | None
    phone_id: UUID | None
    phone_enc: bytes | None
    phone_bidx: bytes | None
    email_id: UUID | None
    email_enc: bytes | None
    email_bidx: bytes | None
    account_id: UUID | None
    bank_code: str | None
    account_enc: bytes | None
    account_bidx: bytes | None
    account_last4: str | None
    holder: str | None
    name_match: str | None
    desil: int | None
    died_on: date | None


_REST = len(Staged._fields) - 5


def unchanged(run_id: UUID, line: Line) -> Staged:
    """A row of which the registry knows every part already: only its name and digest are staged."""
    return Staged._make((run_id, line.line, line.ref, line.family_ref, line.digest, *(None,) * _REST))


class Sealer:
    """Seals lines with the keys of this process."""

    def __init__(self, run_id: UUID, fields: FieldCipher, index: BlindIndex) -> None:
        self._run_id, self._fields, self._index = run_id, fields, index

    def staged(self, line: Line) -> Staged:
        """The row as it goes into the staging table, with fresh ids for whatever may become a row of its own."""
        residence_id = new_id()
        return Staged._make((
            self._run_id, line.line, line.ref, line.family_ref, line.digest, new_id(), line.name, line.norm, line.suffix,
            line.sex, line.birth_date, line.relation, line.status, line.region_code, line.rt, line.rw,
            *self._claim(line), *self._card(line), residence_id,
            seal(self._fields, STREET, residence_id, line.street) if line.street else None,
            *self._contact(PHONE, line.phone), *self._contact(EMAIL, line.mail), *self._account(line), line.desil, line.died_on,
        ))  # fmt: skip

    def _claim(self, line: Line) -> tuple[Any, ...]:
        if line.nik is None or line.nik_checked is None:
            return None, None, None, None, None, None
        id, checked = new_id(), line.nik_checked
        sealed = seal(self._fields, CLAIM_VALUE, id, line.nik)
        bidx = self._index.of(NIK, line.nik)
        return id, sealed, bidx, line.nik[-4:], checked.structure.value, list(checked.warnings)

    def _card(self, line: Line) -> tuple[Any, ...]:
        if line.kk is None or line.kk_bidx is None:
            return None, None, None, None, None
        id = new_id()
        return id, seal(self._fields, CARD_NUMBER, id, line.kk), line.kk_bidx, line.kk[-4:], list(line.kk_warnings)

    def _contact(self, scheme: str, value: str | None) -> tuple[Any, ...]:
        if value is None:
            return None, None, None
        id = new_id()
        return id, seal(self._fields, CONTACT_VALUE, id, value), self._index.of(scheme, value)

    def _account(self, line: Line) -> tuple[Any, ...]:
        if line.account is None:
            return (None,) * 7
        id = new_id()
        bidx = self._index.of(ACCOUNT, accounts.index_text("bank", line.bank, line.account))
        match = accounts.compare_names(line.name, line.holder)
        sealed = seal(self._fields, ACCOUNT_NUMBER, id, line.account)
        return id, line.bank, sealed, bidx, line.account[-4:], line.holder, match
