"""Every text against the examples of the contracts, in both languages: no gap, no raw code, not too long."""

import json
import re
from pathlib import Path

import pytest
import yaml
from kit.ids import new_id
from notifications.messages.states import Channel
from notifications.rules.book import Book
from notifications.templates.library import LOCALES, MOST_SEGMENTS, Gap, Library
from notifications.templates.segments import plain, segments

CONTRACTS = next(p / "contracts" for p in Path(__file__).parents if (p / "contracts" / "catalog.yaml").is_file())
BOOK = Book.load()
OFFICE = {"office": "Dinas Sosial Kota Depok", "office_phone": "(021) 7721234"}
LIBRARY = Library(yaml.safe_load((CONTRACTS / "reference" / "reasons.yaml").read_text()), OFFICE, "Asia/Jakarta")


def examples(rule):
    service, _, name = rule.event.partition(".")
    schema = json.loads((CONTRACTS / service / "events" / f"{name}.v1.schema.json").read_text())
    empty = {n: [] if f.get("type") == "array" else None for n, f in schema["properties"].items()}
    return [{**empty, **example, "programme": "santunan kematian"} for example in schema["examples"]]


CASES = [(rule, example, locale) for rule in BOOK.rules for example in examples(rule) for locale in LOCALES]


@pytest.mark.parametrize(("rule", "example", "locale"), CASES, ids=lambda v: getattr(v, "id", None))
def test_every_rule_writes_a_whole_text_from_the_examples_of_its_event(rule, example, locale):
    for channel in Channel:
        letter = LIBRARY.write(rule.template, locale, channel, example)
        assert letter.locale == locale
        assert letter.segments <= MOST_SEGMENTS
        assert "None" not in letter.body
        assert not re.search(r"[{}]|\b[a-z]+_[a-z_]+\b", letter.subject + letter.body)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_rule_has_its_text_and_every_text_its_rule(locale):
    assert {template for template, other in LIBRARY.texts if other == locale} == set(BOOK.templates())


def test_a_letter_to_a_citizen_says_the_receipt_number_and_that_it_is_free():
    claim = new_id()
    letter = LIBRARY.write("claim_filed", "id", Channel.SMS, {"claim_id": str(claim), "programme": "santunan kematian"})
    assert re.search(r"SK-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]", letter.body)
    assert "Gratis" in letter.body


def test_a_missing_value_stops_the_letter_and_is_named():
    with pytest.raises(Gap) as gap:
        LIBRARY.write("claim_approved", "id", Channel.SMS, {"claim_id": str(new_id()), "programme": "x"})
    assert (gap.value.code, gap.value.names) == ("templat_kurang_isi", ("amount_idr",))


def test_a_reason_that_nobody_put_into_words_stops_the_letter():
    with pytest.raises(Gap) as gap:
        LIBRARY.write("claim_rejected", "id", Channel.SMS, {"claim_id": str(new_id()), "reasons": ["kode_baru"]})
    assert (gap.value.code, gap.value.names) == ("alasan_tanpa_teks", ("kode_baru",))


def test_a_value_is_never_run_as_a_template():
    facts = {"claim_id": str(new_id()), "programme": "{{ 7 * 7 }}"}
    assert "{{ 7 * 7 }}" in LIBRARY.write("claim_filed", "id", Channel.SMS, facts).body


def test_a_mail_has_opening_and_closing_and_a_text_message_has_not():
    facts = {"claim_id": str(new_id())}
    mail = LIBRARY.write("claim_appealed", "id", Channel.EMAIL, facts)
    text = LIBRARY.write("claim_appealed", "id", Channel.SMS, facts)
    assert mail.body.startswith("Bapak/Ibu yang kami hormati")
    assert OFFICE["office"] in mail.body
    assert text.body in mail.body


def test_the_version_follows_the_words():
    assert LIBRARY.text("claim_filed", "id").version != LIBRARY.text("claim_filed", "en").version


def test_what_a_text_asks_for_is_worked_out_once():
    asked = LIBRARY.blanks("payment_settled", "id")
    assert "amount_idr" in asked
    assert LIBRARY.blanks("payment_settled", "id") is asked


def test_segments_are_counted_as_the_networks_count_them():
    assert [segments("a" * n) for n in (160, 161, 306, 307)] == [1, 2, 2, 3]
    assert [segments("ж" * n) for n in (70, 71, 134, 135)] == [1, 2, 2, 3]
    assert segments("€" * 80) == 1
    assert segments("€" * 81) == 2
    assert segments(plain("“" * 160)) == 1
