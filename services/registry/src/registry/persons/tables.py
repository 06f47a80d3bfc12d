"""The persons table; validates nothing and never leaves the service."""

from datetime import date

from kit.db.types import Aggregate


class Person(Aggregate, table=True):
    """One row a person (orang). Names, claims, addresses and accounts are rows of their own."""

    __tablename__ = "person"

    state: str = "active"
    birth_date: date | None = None
    birth_precision: int = 9
    sex: str | None = None
    provisional: bool = True
    region_code: str
    registered: bool = False
    registered_as_of: date | None = None
    source: str = "manual"
    source_ref: str | None = None
    correction_enc: bytes | None = None
    correction_by: str | None = None
