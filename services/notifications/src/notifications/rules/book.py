"""The rule book: `rules.yaml` read once at start, checked whole, and asked by event type.

Only the consumer comes in here. Rules are data: a new message is a line there and a text in `templates/`, no code.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from notifications.messages.states import Channel, Class, Policy

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]

PERSON_CHANNELS = (Channel.WHATSAPP, Channel.SMS, Channel.EMAIL)
"""The first that reaches the person is enough; the next is tried when one cannot be used."""
OFFICE_CHANNELS = (Channel.EMAIL,)
MOST_DELAY_HOURS = 24 * 14


class ClassRule(BaseModel):
    """What a class of message allows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attempts: int = Field(ge=1, le=20)
    resends_unknown: int = Field(ge=0, le=1)
    keeps_quiet: bool
    mandatory: bool
    lifetime_hours: int = Field(ge=1, le=24 * 30)
    lane: int = Field(ge=1, le=9)


class Rule(BaseModel):
    """One line: an event, an audience, a text."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: Code
    event: Annotated[str, StringConstraints(pattern=r"^[a-z]+(\.[a-z_]+)+$")]
    person: Code | None = None
    institution: Code | None = None
    roles: tuple[Code, ...] = ()
    template: Code
    klass: Class = Field(alias="class")
    channels: tuple[Channel, ...] = ()
    supersede: str | None = None
    keeps_quiet: bool | None = None
    after_hours: int = Field(0, ge=0, le=MOST_DELAY_HOURS)
    when: Mapping[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_audience(self) -> Self:
        if sum((self.person is not None, self.institution is not None, bool(self.roles))) != 1:
            raise ValueError(f"rule {self.id} must name exactly one of person, institution, roles")
        return self

    @property
    def type(self) -> str:
        """The wire type of the event, version 1."""
        return f"org.santun.{self.event}.v1"

    @property
    def ways(self) -> tuple[Channel, ...]:
        """The channels in order of preference."""
        return self.channels or (PERSON_CHANNELS if self.person else OFFICE_CHANNELS)

    def applies(self, facts: Mapping[str, Any]) -> bool:
        """Whether the event's fields are those the rule asks for."""
        return all(facts.get(name) == value for name, value in self.when.items())

    def supersede_key(self, facts: Mapping[str, Any]) -> str | None:
        """The key under which a newer message replaces this one, filled from the event."""
        return self.supersede.format_map(facts) if self.supersede else None


class Book(BaseModel):
    """All rules and classes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    classes: Mapping[Class, ClassRule]
    rules: tuple[Rule, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if missing := set(Class) - set(self.classes):
            raise ValueError(f"classes without a rule: {sorted(missing)}")
        if len({rule.id for rule in self.rules}) != len(self.rules):
            raise ValueError("two rules have the same id")
        return self

    @classmethod
    def load(cls) -> "Book":
        """Read the book of this release. Raises ValidationError with every fault."""
        return cls.model_validate(
            yaml.safe_load(files("notifications.rules").joinpath("rules.yaml").read_text("utf-8"))
        )

    def by_type(self) -> Mapping[str, tuple[Rule, ...]]:
        """The rules of each wire type."""
        found: dict[str, list[Rule]] = defaultdict(list)
        for rule in self.rules:
            found[rule.type].append(rule)
        return {wire_type: tuple(rules) for wire_type, rules in found.items()}

    def policy(self, rule: Rule) -> Policy:
        """What the class of the rule's messages allows, with the rule's own word on quiet hours."""
        law = self.classes[rule.klass]
        quiet = law.keeps_quiet if rule.keeps_quiet is None else rule.keeps_quiet
        return Policy(law.attempts, law.resends_unknown, quiet, law.mandatory)

    def templates(self) -> Iterator[str]:
        """Every text that some rule needs."""
        return iter(sorted({rule.template for rule in self.rules}))
