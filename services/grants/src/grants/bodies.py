"""Parts of request bodies that several slices share: a paper, a region, a code."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from kit.http.models import Body
from pydantic import Field

from grants.documents.commands import NewPaper

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
RegionCode = Annotated[str, Field(pattern=r"^[1-9]\d(\.\d\d(\.\d\d(\.\d{4})?)?)?$")]
ClientRef = Annotated[str, Field(min_length=1, max_length=64)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class PaperBody(Body):
    """A document on which a step rests: number, date, issuer, and the digest of its file."""

    number: Annotated[str, Field(min_length=1, max_length=80)]
    dated: date
    issuer: Annotated[str, Field(min_length=1, max_length=120)]
    sha256: Sha256
    scan: Literal["pending", "paper"] = "paper"
    id: UUID | None = None

    def paper(self, kind: str) -> NewPaper:
        """As the documents slice keeps it, under the kind that the step asks for."""
        return NewPaper(kind, self.number, self.dated, self.issuer, self.sha256, self.scan, id=self.id)
