"""The table of documents; it mirrors migration 0001."""

from datetime import date
from uuid import UUID

from kit.db.types import Aggregate


class DocumentRow(Aggregate, table=True):
    """A paper on which something rests. The file itself lies elsewhere; its SHA-256 says which it is."""

    __tablename__ = "document"

    institution_id: UUID
    region_code: str
    kind: str
    number: str
    dated: date
    issuer: str
    sha256: bytes
    scan: str = "pending"
    supersedes: UUID | None = None
    superseded_by: UUID | None = None
