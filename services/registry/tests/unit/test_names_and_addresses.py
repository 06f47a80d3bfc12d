"""Names, phone numbers, mail addresses and accounts as they are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry.contacts.addresses import mail, phone
from registry.contacts.addresses import normalise as normalise_contact
from registry.families.kinship import ORDER, rank, relationship
from registry.payees.accounts import compare_names, index_text
from registry.payees.accounts import normalise as normalise_account
from registry.persons.names import initials, normalise


@pytest.mark.parametrize(
    ("written", "norm", "suffix"),
    [
        ("H. Sulaiman, S.Pd.I", "SULAIMAN", None),
        ("Drs. Ir. Siti Aminah, M.Si", "SITI AMINAH", None),
        ("Fatimah binti Abdullah", "FATIMAH", "ABDULLAH"),
        ("Nur'aini", "NURAINI", None),
        ("alm. Budi Santoso", "BUDI SANTOSO", None),
        ("José  de la-Cruz", "JOSE DE LA CRUZ", None),
        ("H", "H", None),
        ("Bin Laden", "BIN LADEN", None),
        ("Budi B. Santoso", "BUDI B SANTOSO", None),
    ],
)
def test_titles_signs_and_fathers_are_no_part_of_a_name(written, norm, suffix):
    name = normalise(written)
    assert (name.norm, name.suffix) == (norm, suffix)


@given(st.text(max_size=60))
def test_a_name_is_normalised_once_and_for_all(text):
    once = normalise(text)
    assert once.norm == once.norm.upper().strip()
    assert "  " not in once.norm
    assert normalise(once.norm).norm in {once.norm, normalise(once.norm).norm}


def test_officers_of_other_regions_see_initials():
    assert initials("Siti Aminah") == "S. A."


@pytest.mark.parametrize("written", ["0812-3456-7890", "+62 812 3456 7890", "62812 34567890", "(0812) 34567890"])
def test_one_phone_has_one_spelling(written):
    assert phone(written) == "+6281234567890"


@pytest.mark.parametrize("written", ["", "12", "telepon", "0812", "+999 12345678901234567890"])
def test_what_is_no_phone_is_none(written):
    assert phone(written) is None


def test_mail_is_lower_case_and_has_an_at_and_a_dot():
    assert mail(" Rani@Contoh.ID ") == "rani@contoh.id"
    assert mail("rani@contoh") is None
    assert mail("a" * 250 + "@x.id") is None
    assert normalise_contact("email", "A@b.id") == "a@b.id"
    assert normalise_contact("wa", "081234567890") == "+6281234567890"


@given(st.text(alphabet="0123456789 .-", max_size=40))
def test_an_account_is_digits_or_nothing(text):
    number = normalise_account(text)
    assert number is None or (number.isdigit() and 5 <= len(number) <= 24 and int(number) > 0)


def test_the_same_digits_at_another_bank_are_another_account():
    assert index_text("bank", "BJB", "1234567") != index_text("bank", "BRI", "1234567")


@pytest.mark.parametrize(
    ("person", "holder", "said"),
    [
        ("Siti Aminah", "SITI AMINAH", "exact"),
        ("Hj. Siti Aminah", "Siti Aminah", "exact"),
        ("Siti Aminah Wulandari", "SITI AMINAH", "close"),
        ("Siti Aminah", "SITI AMINA", "mismatch"),
        ("Siti Aminah", "BUDI SANTOSO", "mismatch"),
        ("Siti Aminah", "AMINAH", "mismatch"),
    ],
)
def test_a_holder_fits_a_person_or_not(person, holder, said):
    assert compare_names(person, holder) == said


@given(st.integers(1, 11), st.integers(1, 11))
def test_every_kinship_has_a_rank(one, other):
    assert relationship(one, other) in ORDER
    assert 0 <= rank(relationship(one, other)) < len(ORDER)


@pytest.mark.parametrize(
    ("dead", "other", "is_"),
    [
        (1, 3, "spouse"),
        (3, 1, "spouse"),
        (1, 4, "child"),
        (3, 4, "child"),
        (4, 1, "parent"),
        (4, 4, "sibling"),
        (7, 1, "child"),
    ],
)
def test_heirs_are_related_to_the_dead_not_to_the_head(dead, other, is_):
    assert relationship(dead, other) == is_
