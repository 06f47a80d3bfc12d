"""A sealed value opens at its own place with its own key, and nowhere else."""

import time
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.crypto.fields import BlindIndex, FieldCipher, Sealed, keys

OLD, NEW = "1:" + "ab" * 32, "7:" + "cd" * 32
AT = "identity_claim:value_enc:0198"


@given(st.text(), st.text())
def test_what_was_sealed_opens_at_its_place(text: str, place: str) -> None:
    cipher = FieldCipher.parse(OLD)
    assert cipher.open(cipher.seal(text, at=place), at=place) == text


def test_a_value_copied_to_another_row_or_column_does_not_open() -> None:
    cipher = FieldCipher.parse(OLD)
    sealed = cipher.seal("3276031502900003", at=AT)
    for elsewhere in ("identity_claim:value_enc:0199", "contact:value_enc:0198", ""):
        with pytest.raises(Sealed):
            cipher.open(sealed, at=elsewhere)


def test_equal_values_never_look_equal_and_never_show_themselves() -> None:
    cipher = FieldCipher.parse(OLD)
    sealed = {cipher.seal("3276031502900003", at=AT) for _ in range(100)}
    assert len(sealed) == 100
    assert not any(b"3276" in one for one in sealed)


@given(st.data())
def test_a_changed_byte_is_always_found(data: st.DataObject) -> None:
    cipher = FieldCipher.parse(OLD)
    sealed = bytearray(cipher.seal("value", at=AT))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Sealed):
        cipher.open(bytes(sealed), at=AT)


@pytest.mark.parametrize("junk", [b"", b"\x01", b"\x01\x01" + b"x" * 27, b"\x02\x01" + b"x" * 40])
def test_junk_does_not_open(junk: bytes) -> None:
    with pytest.raises(Sealed):
        FieldCipher.parse(OLD).open(junk, at=AT)


def test_the_newest_key_seals_every_key_opens_and_rotation_knows_what_is_left() -> None:
    old, both, new = FieldCipher.parse(OLD), FieldCipher.parse(f"{OLD},{NEW}"), FieldCipher.parse(NEW)
    before = old.seal("value", at=AT)
    assert both.open(before, at=AT) == "value"
    assert both.needs_rotation(before)
    after = both.seal(both.open(before, at=AT), at=AT)
    assert not both.needs_rotation(after)
    assert after[1] == both.key_id == 7
    assert new.open(after, at=AT) == "value"
    with pytest.raises(Sealed):
        new.open(before, at=AT)


@pytest.mark.parametrize("text", ["", "1", "1:xyz", "1:abcd", "0:" + "ab" * 32, "256:" + "ab" * 32, f"{OLD},{OLD}"])
def test_broken_keys_are_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="key") as wrong:
        keys(text)
    assert "ab" * 32 not in str(wrong.value)


def test_an_index_finds_equals_within_its_scheme_and_key() -> None:
    index = BlindIndex.parse(f"{OLD},{NEW}")
    assert index.of("nik", "3276031502900003") == BlindIndex.parse(NEW).of("nik", "3276031502900003")
    assert len(index.of("nik", "3276031502900003")) == 16
    assert index.of("nik", "3276031502900003") != index.of("kk", "3276031502900003")
    assert index.of("nik", "3276031502900003") != index.of("nik", "3276031502900004")
    assert index.of("nik", "1", key_id=1) == BlindIndex.parse(OLD).of("nik", "1")
    assert (index.key_id, index.key_ids) == (7, (1, 7))


def test_an_import_of_a_million_values_spends_seconds_here_not_minutes() -> None:
    cipher, index, at = FieldCipher.parse(OLD), BlindIndex.parse(OLD), f"identity_claim:value_enc:{uuid4()}"
    start = time.perf_counter()
    for number in range(5_000):
        cipher.seal(str(number), at=at)
        index.of("nik", str(number))
    assert (time.perf_counter() - start) / 5_000 < 100e-6
