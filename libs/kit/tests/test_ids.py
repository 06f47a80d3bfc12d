"""Ids sort by time; receipts survive the telephone."""

import string
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.ids import CROCKFORD, crockford26, new_id, parse_receipt, receipt

ids = st.uuids()
prefixes = st.text(string.ascii_uppercase, min_size=1, max_size=6)
LOW_40 = (1 << 40) - 1


def test_ids_rise_even_inside_one_millisecond_and_are_version_seven() -> None:
    made = [new_id() for _ in range(5000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}


@given(prefixes, ids)
def test_a_receipt_is_read_back_to_the_same_thing(prefix: str, id: UUID) -> None:
    assert parse_receipt(receipt(prefix, id)) == (prefix, id.int & LOW_40)


@given(prefixes, ids)
def test_a_receipt_may_be_typed_carelessly(prefix: str, id: UUID) -> None:
    typed = receipt(prefix, id)
    head, tail = typed.split("-", 1)
    careless = f" {head.lower()} {tail.replace('0', 'o').replace('1', 'l').replace('-', ' – ')} "
    assert parse_receipt(careless) == (prefix, id.int & LOW_40)


@given(prefixes, ids, st.data())
def test_one_wrong_character_is_always_found(prefix: str, id: UUID, data: st.DataObject) -> None:
    text = receipt(prefix, id).replace("-", "")
    at = data.draw(st.integers(0, len(text) - 1))
    choices = string.ascii_uppercase if at < len(prefix) else CROCKFORD
    wrong = data.draw(st.sampled_from([c for c in choices if c != text[at]]))
    with pytest.raises(ValueError, match="receipt"):
        parse_receipt(text[:at] + wrong + text[at + 1 :])


@given(prefixes, ids, st.data())
def test_two_swapped_neighbours_are_always_found(prefix: str, id: UUID, data: st.DataObject) -> None:
    text = receipt(prefix, id).replace("-", "")
    places = [at for at in range(len(text) - 1) if text[at] != text[at + 1] and at != len(prefix) - 1]
    at = data.draw(st.sampled_from(places)) if places else None
    if at is not None:
        with pytest.raises(ValueError, match="receipt"):
            parse_receipt(text[:at] + text[at + 1] + text[at] + text[at + 2 :])


@pytest.mark.parametrize(
    "text", ["", "SK", "SK-7K4M-92QD", "7K4M-92QD-X", "SK-7K4M-92QD-XX", "SK-7K4M-92U?-X", "√" * 12]
)
def test_what_is_no_receipt_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="receipt"):
        parse_receipt(text)


@given(ids)
def test_a_payment_reference_holds_the_whole_id(id: UUID) -> None:
    reference = crockford26(id)
    number = 0
    for letter in reference:
        number = number * 32 + CROCKFORD.index(letter)
    assert len(reference) == 26
    assert UUID(int=number) == id
