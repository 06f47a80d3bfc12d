"""The library of texts: `id.yaml` and `en.yaml`, each text with its version, filled strictly and in a sandbox.

A blank without a value stops the message (`Gap`): nobody gets half a letter. Nothing here reads files after start, and
no value of a message is ever code.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import yaml
from jinja2 import StrictUndefined, UndefinedError
from jinja2.exceptions import SecurityError
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment
from kit.ids import receipt
from kit.money import format_id

from notifications.messages.states import Channel
from notifications.templates.segments import plain, segments

LOCALES = ("id", "en")
MOST_SEGMENTS = 4
"""An SMS longer than this is a fault of the text, not a cost to be borne."""
MONTHS = {
    "id": "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember".split(),  # noqa: SIM905
    "en": "January February March April May June July August September October November December".split(),  # noqa: SIM905
}
_BRACKETED_BLANK = re.compile(r"\s*\([^()]*\{\w+\}[^()]*\)")
_BLANK = re.compile(r"\{\w+\}")
_NAME = re.compile(r"'(\w+)'")


class Gap(Exception):
    """The text cannot be written; `code` says why and `names` what is missing. Never holds a value."""

    def __init__(self, code: str, names: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.code, self.names = code, names


@dataclass(frozen=True, slots=True)
class Text:
    """One text in one language. `version` is the SHA-256 of everything that shapes it."""

    template: str
    locale: str
    subject: str
    body: str
    version: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """A filled text, ready for a channel."""

    locale: str
    version: bytes
    subject: str
    body: str
    segments: int


class Library:
    """All texts of this release, and the words of reason codes from `contracts/reference/reasons.yaml`."""

    def __init__(self, reasons: Mapping[str, Mapping[str, str]], office: Mapping[str, str], zone: str) -> None:
        self._reasons = reasons
        self._office = dict(office)
        self._zone = ZoneInfo(zone)
        self._layouts: dict[str, Mapping[str, str]] = {}
        self._papers: dict[str, Mapping[str, str]] = {}
        self._blanks: dict[bytes, frozenset[str]] = {}
        self.texts: dict[tuple[str, str], Text] = {}
        for locale in LOCALES:
            data = yaml.safe_load(files("notifications.templates").joinpath(f"{locale}.yaml").read_text("utf-8"))
            self._layouts[locale], self._papers[locale] = data["layout"], data["papers"]
            for template, words in data["texts"].items():
                self.texts[template, locale] = _text(template, locale, words, data["layout"])
        self._environments = {locale: self._environment(locale) for locale in LOCALES}

    def text(self, template: str, locale: str) -> Text:
        """The text in the locale, else in Indonesian. Raises Gap when there is none."""
        found = self.texts.get((template, locale)) or self.texts.get((template, "id"))
        if found is None:
            raise Gap("templat_tidak_ada", (template,))
        return found

    def blanks(self, template: str, locale: str) -> frozenset[str]:
        """The names of values that the text asks for, the office's own aside."""
        text = self.text(template, locale)
        known = self._blanks.get(text.version)
        if known is None:  # asked for every message; parsing two languages takes nearly two milliseconds
            tree = self._environments[locale].parse(text.subject + text.body)
            known = self._blanks[text.version] = frozenset(find_undeclared_variables(tree)) - set(self._office)
        return known

    def write(self, template: str, locale: str, channel: Channel, facts: Mapping[str, Any]) -> Letter:
        """Fill a text for a channel. Raises Gap when a value is missing, unreadable, or the text grows too long."""
        text = self.text(template, locale)
        values = {**facts, **self._office}
        subject = self._fill(text.locale, text.subject, values)
        body = self._fill(text.locale, text.body, values)
        if channel is Channel.EMAIL:
            layout = self._layouts[text.locale]
            parts = (layout["opening"], body, self._fill(text.locale, layout["closing"], values))
            return Letter(text.locale, text.version, subject, "\n\n".join(parts) + "\n", 0)
        short = plain(body)
        parts_needed = segments(short)
        if channel is Channel.SMS and parts_needed > MOST_SEGMENTS:
            raise Gap("terlalu_panjang_sms", (template,))
        return Letter(text.locale, text.version, subject, short, parts_needed)

    def _fill(self, locale: str, source: str, values: Mapping[str, Any]) -> str:
        try:
            return self._environments[locale].from_string(source).render(values).strip()
        except UndefinedError as gap:
            raise Gap("templat_kurang_isi", tuple(_NAME.findall(str(gap)))) from None
        except (SecurityError, TypeError, ValueError, KeyError) as unreadable:
            raise Gap("isian_tidak_terbaca", (type(unreadable).__name__,)) from None

    def _environment(self, locale: str) -> ImmutableSandboxedEnvironment:
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
        environment.filters.update(
            rupiah=lambda amount: format_id(int(amount)),
            receipt=lambda subject, prefix: receipt(prefix, UUID(str(subject))),
            day=lambda value: self._day(locale, value),
            moment=lambda value: self._moment(locale, value),
            reasons=lambda codes: self._sentences(locale, codes),
            words=lambda code: self._paper(locale, code),
            papers=lambda codes: ", ".join(self._paper(locale, code) for code in codes),
        )
        return environment

    def _paper(self, locale: str, code: object) -> str:
        """The name of a paper; one without words in the list is called by its code, which is Indonesian."""
        return self._papers[locale].get(str(code), str(code).replace("_", " "))

    def _day(self, locale: str, value: str) -> str:
        when = date.fromisoformat(value) if len(value) == len("2026-07-01") else self._local(value).date()
        return f"{when.day} {MONTHS[locale][when.month - 1]} {when.year}"

    def _moment(self, locale: str, value: str) -> str:
        when = self._local(value)
        at = {"id": "pukul", "en": "at"}[locale]
        return f"{self._day(locale, when.date().isoformat())} {at} {when:%H.%M}"

    def _local(self, value: str) -> datetime:
        return datetime.fromisoformat(value).astimezone(self._zone)

    def _sentences(self, locale: str, codes: object) -> str:
        """What the codes mean, with the next step of each; a code that nobody put into words stops the message."""
        if not isinstance(codes, list | tuple) or not codes:
            raise ValueError("no reasons")
        unknown = tuple(str(code) for code in codes if code not in self._reasons)
        if unknown:
            raise Gap("alasan_tanpa_teks", unknown)
        said: list[str] = []
        for code in codes:
            words = self._reasons[code]
            said += [_closed(words[key]) for key in (locale, f"next_{locale}") if words.get(key)]
        return " ".join(dict.fromkeys(said))


def _closed(sentence: str) -> str:
    """The sentence without blanks: events carry codes only, so what stands in brackets for a value is left out."""
    return _BLANK.sub("...", _BRACKETED_BLANK.sub("", sentence)).strip()


def _text(template: str, locale: str, words: Mapping[str, str], layout: Mapping[str, str]) -> Text:
    shape = "\x1f".join([words["subject"], words["body"], layout["opening"], layout["closing"]])
    return Text(template, locale, words["subject"], words["body"], hashlib.sha256(shape.encode()).digest())
