"""Conditional requests (RFC 9110): strong entity tags that are row versions, nothing else."""

import re

from kit.errors import HeaderRequired, Invalid

_TAG = re.compile(r'"([1-9][0-9]{0,9})"')


def etag(version: int) -> str:
    """The strong entity tag of a row version: `"7"`."""
    return f'"{version}"'


def expected_version(header: str | None) -> int:
    """The version that `If-Match` names. Raises HeaderRequired (428) without one, Invalid (400) for any other form.

    Lists, weak tags and `*` are refused: whoever changes something has read exactly one version of it.
    """
    if header is None:
        raise HeaderRequired("If-Match")
    match = _TAG.fullmatch(header.strip())
    if match is None:
        fault = Invalid.field("/headers/if-match", "versi_tidak_terbaca")
        fault.status = 400
        raise fault
    return int(match[1])


def not_modified(header: str | None, tag: str) -> bool:
    """Whether `If-None-Match` already names this tag (weak comparison, as the RFC asks for GET)."""
    if header is None:
        return False
    return header.strip() == "*" or tag in {part.strip().removeprefix("W/") for part in header.split(",")}
