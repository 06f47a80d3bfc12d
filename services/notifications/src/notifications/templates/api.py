"""Routes of texts: which there are, in which version, and how one reads with given values."""

from typing import Annotated, Any

from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.errors import Invalid, Missing
from kit.http.api import Api
from kit.http.deps import Reads, Wired
from kit.http.models import Body, Out
from kit.http.problems import problems
from pydantic import Field

from notifications.messages.states import Channel
from notifications.templates.library import LOCALES, Gap, Library

router = Api(prefix="/v1/templates", tags=["templates"])
NO_REGION = Region.none("texts are the same everywhere")
Reader = Annotated[Actor, requires("notifications.templates:read", region=NO_REGION)]


class TextOut(Out):
    """One text in one language; `version` is its SHA-256."""

    template: str
    language: str
    version: str
    subject: str
    body: str
    blanks: list[str]


class Preview(Body):
    """The values to fill in, as an event would carry them."""

    facts: Annotated[dict[str, Any], Field(max_length=40)]


class LetterOut(Out):
    """A filled text on one channel."""

    language: str
    channel: Channel
    subject: str
    body: str
    segments: int


@router.get("")
async def list_texts(_: Reader, wiring: Wired) -> list[TextOut]:
    """List every text of this release (bounded by the release)."""
    library: Library = wiring.library
    return [_shown(library, template, locale) for template, locale in sorted(library.texts)]


@router.get("/{template}", responses=problems(404))
async def get_text(template: str, _: Reader, wiring: Wired) -> list[TextOut]:
    """Read one text in both languages."""
    library: Library = wiring.library
    found = [_shown(library, template, locale) for locale in LOCALES if (template, locale) in library.texts]
    if not found:
        raise Missing("template")
    return found


@router.post("/{template}:preview", responses=problems(404, 422))
async def preview_text(template: str, body: Preview, _reads: Reads, _: Reader, wiring: Wired) -> list[LetterOut]:
    """Fill one text in both languages for every channel, with the number of SMS parts."""
    library: Library = wiring.library
    if (template, "id") not in library.texts:
        raise Missing("template")
    try:
        return [
            LetterOut(
                language=locale, channel=channel, subject=letter.subject, body=letter.body, segments=letter.segments
            )
            for locale in LOCALES
            for channel in Channel
            for letter in [library.write(template, locale, channel, body.facts)]
        ]
    except Gap as gap:
        raise Invalid.field("/facts", gap.code) from None


def _shown(library: Library, template: str, locale: str) -> TextOut:
    text = library.texts[template, locale]
    return TextOut(
        template=template, language=locale, version=text.version.hex(), subject=text.subject, body=text.body,
        blanks=sorted(library.blanks(template, locale)),
    )  # fmt: skip
