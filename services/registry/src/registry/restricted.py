"""Restricted values (class R): where each is sealed and under which blind index it is found. Stores and imports come in.

One place for both, so that what one part seals another opens and finds.
"""

from uuid import UUID

from kit.crypto.fields import BlindIndex, FieldCipher

NIK, KK, PHONE, EMAIL, ACCOUNT, AKTA = "nik", "kk", "phone", "email", "account", "akta"
"""Schemes of blind indexes. `wa` contacts are indexed as phones; accounts by `payees.accounts.index_text`."""

CLAIM_VALUE = "identity_claim:value_enc"
CARD_NUMBER = "family_card:kk_enc"
STREET = "residence:street_enc"
CONTACT_VALUE = "contact:value_enc"
ACCOUNT_NUMBER = "payee_account:account_enc"
SUBJECT_NAME = "death_record:subject_name_enc"
CORRECTION = "person:correction_enc"
"""Places: table and column; the row's id follows, so that a copied value does not open elsewhere."""


def seal(fields: FieldCipher, place: str, row_id: UUID, text: str) -> bytes:
    """Encrypt a value for its row."""
    return fields.seal(text, at=f"{place}:{row_id}")


def unseal(fields: FieldCipher, place: str, row_id: UUID, sealed: bytes) -> str:
    """The value of this row. Raises kit.crypto.fields.Sealed when the value belongs elsewhere."""
    return fields.open(sealed, at=f"{place}:{row_id}")


def akta_token(index: BlindIndex, issuer_code: str, akta_no: str) -> bytes:
    """What stands for an akta outside the registry: equal for equal akta, without telling its number."""
    return index.of(AKTA, f"{issuer_code}:{akta_no}")


def digests(index: BlindIndex, scheme: str, normalised: str) -> list[bytes]:
    """Every digest under which a value may stand while keys are rotated."""
    return [index.of(scheme, normalised, key_id=key_id) for key_id in index.key_ids]
