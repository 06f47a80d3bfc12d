"""Bases of what comes in and what goes out. Tables are neither."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """A request body: unknown fields are refused, texts lose blanks at both ends, nothing changes after parsing."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)


class Out(BaseModel):
    """An answer. Built from attributes of rows and domain objects with `Model.model_validate(row)`."""

    model_config: ClassVar[ConfigDict] = ConfigDict(from_attributes=True)


class Versioned(Out):
    """An answer about one aggregate: the route sets `ETag` from `version` and answers If-None-Match with 304."""

    version: int
