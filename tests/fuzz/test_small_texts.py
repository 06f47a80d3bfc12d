"""Cursors, versions, keys, receipt numbers, region codes: a value of the right shape, or the reader's own refusal."""

import base64
import json
from typing import Any
from uuid import UUID

import pytest
from fuzz.effort import fuzzed
from hypothesis import given
from hypothesis import strategies as st
from kit.errors import HeaderRequired, Invalid
from kit.http import paging
from kit.http.conditional import expected_version
from kit.http.idempotency import HEADER, key_of
from kit.ids import parse_receipt, receipt
from kit.regions import covers, is_code
from starlette.requests import Request

HEAD = st.text(st.characters(codec="latin-1"), max_size=80)
"""What a header can hold by the time the application sees it."""


def sign(place: bytes) -> bytes:
    return b"0" * 16


def request(**headers: str) -> Request:
    named = [(name.lower().replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": named, "query_string": b""})


@given(
    st.text(st.characters(), max_size=120)
    | st.binary(max_size=90).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
)
@fuzzed
def test_no_text_is_a_cursor_by_chance(text: str) -> None:
    with pytest.raises(Invalid):
        paging._open(text, lambda place: base64.b64encode(place)[:16].ljust(16, b"?"))


PLACE: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.text(max_size=10) | st.uuids().map(str), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)  # fmt: skip


@given(PLACE)
@fuzzed
def test_a_signed_place_of_another_shape_is_refused_too(place: Any) -> None:
    """Made by an older version, say: the signature is right, the inside is not."""
    text = base64.urlsafe_b64encode(sign(b"") + json.dumps(place).encode()).rstrip(b"=").decode()
    try:
        sort, id = paging._open(text, sign)
    except Invalid:
        return
    assert isinstance(sort, str)
    assert isinstance(id, UUID)


@given(HEAD)
@fuzzed
def test_a_version_is_a_small_whole_number_in_quotes_or_refused(text: str) -> None:
    try:
        version = expected_version(text)
    except Invalid:
        return
    assert text.strip() == f'"{version}"'
    assert 0 < version < 10**10


@given(HEAD)
@fuzzed
def test_a_key_is_eight_to_sixty_four_visible_characters_or_refused(text: str) -> None:
    try:
        key = key_of(request(**{HEADER: text}))
    except (Invalid, HeaderRequired):
        return
    assert key is not None
    assert 8 <= len(key) <= 64
    assert key.isascii()
    assert key.isprintable()
    assert " " not in key


@given(st.text(st.characters(), max_size=40) | st.from_regex(r"[A-Za-z]{1,3}[- ]?[0-9A-Za-z -]{4,14}", fullmatch=True))
@fuzzed
def test_a_receipt_number_is_read_or_refused_and_reads_the_same_when_written_again(text: str) -> None:
    try:
        prefix, number = parse_receipt(text)
    except ValueError:
        return
    assert 0 <= number < 2**40
    assert parse_receipt(receipt(prefix, UUID(int=number))) == (prefix, number)


@given(
    st.text(st.characters(), max_size=16) | st.from_regex(r"[0-9.]{1,14}", fullmatch=True),
    st.lists(st.text(max_size=8)),
)
@fuzzed
def test_a_region_code_has_one_spelling_and_covers_itself_alone(text: str, others: list[str]) -> None:
    if is_code(text):
        assert text.isascii()
        assert covers([text], text)
        assert covers([text], text + ".01") or len(text) == 13
        assert not covers([text], text + "1")
    assert not covers([""], text)
