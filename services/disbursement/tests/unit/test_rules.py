"""Rules as data: the grammar with its limits, three-valued logic, benefits and papers."""

from datetime import date

import pytest
from disbursement.rules import ast, benefit, papers
from disbursement.rules.evaluation import Subject, evaluate, holds, months_before
from hypothesis import given
from hypothesis import strategies as st

SLEMAN = {
    "v": 1,
    "unit": "person",
    "basis": "period_start",
    "criteria": [
        {"c": "hidup", "e": {"eq": ["life", "alive"]}, "at": "EFP", "hard": True,
         "why": {"death_reported": "wafat_dilaporkan"}},
        {"c": "umur_min", "e": {"age_ge": ["birth_date", 60]}, "at": "E"},
        {"c": "domisili", "e": {"region_in": ["domicile", ["34.04"]]}, "at": "EFP", "hard": True},
        {"c": "desil_maks", "e": {"le": ["desil", 4]}, "at": "EF", "unknown": "review", "ov": True,
         "why": {"unknown": "desil_belum_ada"}},
        {"c": "bukan_asn", "e": {"not": {"overlaps": ["employment", ["asn", "tni", "polri", "pensiunan"]]}},
         "at": "EFP", "unknown": "pass"},
        {"c": "nik_padan", "e": {"eq": ["nik_state", "matched"]}, "at": "EFP", "unknown": "fail"},
    ],
}  # fmt: skip
RULE = ast.parse(SLEMAN)
FITS = {
    "life": "alive", "birth_date": date(1955, 3, 1), "domicile": "34.04.07.2003", "desil": 3,
    "employment": frozenset({"tani"}), "nik_state": "matched",
}  # fmt: skip
TODAY = date(2026, 7, 1)


def verdict(**facts):
    return evaluate(RULE, Subject({**FITS, **facts}), TODAY)


def test_who_fits_every_criterion_is_eligible():
    assert verdict().eligible


def test_every_reason_is_heard_at_once():
    found = verdict(life="death_reported", birth_date=date(1980, 1, 1), domicile="34.041.01", nik_state="mismatch")
    assert found.reasons == ("wafat_dilaporkan", "umur_min", "domisili", "nik_padan")
    assert found.fail == 0b100111
    assert found.hard


def test_a_missing_fact_waits_for_a_person_or_fails_or_passes_as_the_rule_says():
    assert (verdict(desil=None).fail, verdict(desil=None).unknown) == (0, 0b001000)
    assert verdict(desil=None).reasons == ("desil_belum_ada",)
    assert verdict(nik_state=None).fail == 0b100000
    assert verdict(employment=None).eligible


def test_a_stage_looks_at_its_own_criteria_only():
    young = Subject({**FITS, "birth_date": date(1990, 1, 1)})
    assert evaluate(RULE, young, TODAY, stage="E").fail == 0b000010
    assert evaluate(RULE, young, TODAY, stage="P").eligible


def test_an_override_counts_only_where_the_rule_allows_it():
    rich = Subject({**FITS, "desil": 9, "domicile": "32.76"})
    found = evaluate(RULE, rich, TODAY, overrides={"desil_maks": "allow", "domisili": "allow"})
    assert found.reasons == ("domisili",)


def test_a_region_is_compared_by_whole_groups():
    assert "domisili" in verdict(domicile="34.041").reasons
    assert verdict(domicile="34.04").eligible


def test_somebody_born_on_29_february_comes_of_age_on_1_march():
    expr = ast.parse_expr({"age_ge": ["birth_date", 61]})
    subject = Subject({"birth_date": date(1964, 2, 29)})
    assert holds(expr, subject, date(2025, 2, 28)) is False
    assert holds(expr, subject, date(2025, 3, 1)) is True


def test_months_before_keeps_to_the_end_of_short_months():
    assert months_before(date(2026, 5, 31), 3) == date(2026, 2, 28)
    assert months_before(date(2024, 2, 29), 12) == date(2023, 2, 28)


def test_a_count_in_the_family_is_known_only_when_unknown_members_cannot_change_it():
    expr = ast.parse_expr({"family_count": [{"eq": ["registered", True]}, "ge", 2]})
    members = [{"registered": True}, {"registered": None}, {"registered": True}]
    assert holds(expr, Subject({}, family=members), TODAY) is True
    assert holds(expr, Subject({}, family=members[:2]), TODAY) is None
    assert holds(expr, Subject({}, family=None), TODAY) is None


@pytest.mark.parametrize(
    ("broken", "pointer", "code"),
    [
        ({**SLEMAN, "v": 2}, "/v", "versi_tata_aturan"),
        ({**SLEMAN, "criteria": SLEMAN["criteria"] * 11}, "/criteria", "kriteria_terlalu_banyak"),
        ({**SLEMAN, "criteria": SLEMAN["criteria"][:1] * 2}, "/criteria", "kriteria_ganda"),
        ({**SLEMAN, "criteria": [{"c": "x", "e": {"eq": ["nama", "Siti"]}}]}, "/criteria/0/e/eq/0", "fakta_tidak_dikenal"),
        ({**SLEMAN, "criteria": [{"c": "x", "e": {"le": ["life", 1]}}]}, "/criteria/0/e/le", "operator_tidak_cocok"),
        ({**SLEMAN, "criteria": [{"c": "x", "e": {"like": ["life", "a"]}}]}, "/criteria/0/e", "operator_tidak_dikenal"),
        ({**SLEMAN, "criteria": [{"c": "x", "e": {"eq": ["life", "a b; drop"]}}]}, "/criteria/0/e/eq/1", "kode_tidak_sah"),
        ({**SLEMAN, "criteria": [{"c": "x", "e": {"le": ["desil", 4.5]}}]}, "/criteria/0/e/le/1", "nilai_tidak_cocok"),
        ({**SLEMAN, "criteria": [{"c": "x", "e": {"in": ["desil", list(range(201))]}}]}, "/criteria/0/e/in/1", "daftar_tidak_wajar"),
        ({**SLEMAN, "criteria": [{"c": "x", "e": {"known": "life"}, "sql": "1"}]}, "/criteria/0/sql", "isian_tidak_dikenal"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_read_names_the_place_of_its_fault(broken, pointer, code):
    with pytest.raises(ast.RuleError) as fault:
        ast.parse(broken)
    assert (fault.value.pointer, fault.value.code) == (pointer, code)


def test_nesting_is_limited():
    expr = {"known": "life"}
    for _ in range(ast.MAX_DEPTH - 1):
        expr = {"not": expr}
    ast.parse_expr(expr)
    with pytest.raises(ast.RuleError, match="aturan_terlalu_dalam"):
        ast.parse_expr({"not": expr})


def test_a_rule_declares_the_facts_it_reads():
    assert RULE.facts == {"life", "birth_date", "domicile", "desil", "employment", "nik_state"}


LEAVES = st.sampled_from(
    [{"eq": ["life", "alive"]}, {"le": ["desil", 4]}, {"known": "desil"}, {"age_ge": ["birth_date", 60]}]
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda e: st.one_of(
        st.builds(lambda p: {"all": p}, st.lists(e, min_size=1, max_size=3)),
        st.builds(lambda p: {"any": p}, st.lists(e, min_size=1, max_size=3)),
        st.builds(lambda p: {"not": p}, e),
    ),
    max_leaves=6,
)
PEOPLE = st.fixed_dictionaries(
    {
        "life": st.sampled_from(["alive", "dead", None]),
        "desil": st.one_of(st.none(), st.integers(1, 10)),
        "birth_date": st.one_of(st.none(), st.dates(date(1920, 1, 1), date(2026, 1, 1))),
    }
)


def _read(raw):
    try:
        return ast.parse_expr(raw)
    except ast.RuleError:
        return None


@given(EXPRESSIONS, PEOPLE)
def test_learning_a_missing_fact_never_turns_a_yes_into_a_no(raw, facts):
    """Kleene: what is decided without a fact stays decided whatever the fact turns out to be."""
    expr = _read(raw)
    if expr is None:
        return
    before = holds(expr, Subject(facts), TODAY)
    for name, values in (("life", ("alive", "dead")), ("desil", (1, 9))):
        if facts[name] is None and before is not None and '"known"' not in str(raw).replace("'", '"'):
            assert all(holds(expr, Subject({**facts, name: v}), TODAY) is before for v in values)


@given(EXPRESSIONS, PEOPLE)
def test_negation_twice_changes_nothing(raw, facts):
    expr = _read(raw)
    if expr is not None:
        assert holds(ast.Not(ast.Not(expr)), Subject(facts), TODAY) is holds(expr, Subject(facts), TODAY)


@given(st.lists(EXPRESSIONS, min_size=1, max_size=8), PEOPLE)
def test_masks_say_bit_by_bit_what_the_findings_say(raws, facts):
    exprs = [raw for raw in raws if _read(raw) is not None]
    rule = ast.parse(
        {
            "v": 1,
            "unit": "person",
            "basis": "filed_at",
            "criteria": [{"c": f"k{i}", "e": e} for i, e in enumerate(exprs)],
        }
    )
    found = evaluate(rule, Subject(facts), TODAY)
    assert found.fail & found.unknown == 0
    for bit, finding in enumerate(found.findings):
        assert bool(found.fail >> bit & 1) is (finding.result is False)
        assert bool(found.unknown >> bit & 1) is (finding.result is None)
    assert evaluate(rule, Subject(facts), TODAY) == found


BADUNG = benefit.parse(
    {
        "form": "table",
        "rows": [{"from": 0, "to": 7, "amount_idr": 10_000_000}, {"from": 8, "to": 31, "amount_idr": 5_000_000}],
    }
)
BLITAR = benefit.parse(
    {
        "form": "pct", "amount_idr": 300_000, "else_pct": 60,
        "shares": [
            {"any_doc": ["ktp_almarhum", "akta_kematian"], "pct": 100},
            {"when": {"eq": ["event", "stillbirth"]}, "pct": 100},
        ],
    }
)  # fmt: skip


@pytest.mark.parametrize(("days", "amount"), [(7, 10_000_000), (8, 5_000_000), (31, 5_000_000), (32, 0)])
def test_badung_pays_by_the_days_until_registration(days, amount):
    worth = benefit.worth(BADUNG, claim={"delay_days": days}, on=TODAY)
    assert worth.amount_idr == amount
    assert amount or worth.basis == "pendaftaran_terlambat"


def test_blitar_pays_sixty_per_cent_without_valid_papers_and_all_for_a_stillbirth():
    assert benefit.worth(BLITAR, claim={"event": "death"}, on=TODAY).amount_idr == 180_000
    assert benefit.worth(BLITAR, documents=frozenset({"akta_kematian"}), on=TODAY).amount_idr == 300_000
    assert benefit.worth(BLITAR, claim={"event": "stillbirth"}, on=TODAY).amount_idr == 300_000


@given(st.integers(0, 2**53 - 1), st.integers(0, 100))
def test_a_share_is_rounded_down_and_its_remainder_reported(base, pct):
    worth = benefit.worth(benefit.parse({"form": "pct", "amount_idr": base, "else_pct": pct}), on=TODAY)
    assert worth.amount_idr * 100 + worth.remainder == base * pct


BARITO = papers.parse(
    [
        {"code": "akta_kematian", "once": True, "max_age_months": 3},
        {"code": "sktm", "unless": {"eq": ["registered", True]}},
        {"code": "kk", "any_of": ["kk", "ktp_pemohon"], "follows_days": 14},
    ]
)


def paper(kind, issued_on=None, valid_until=None):
    return papers.Paper(kind, kind * 2, issued_on, valid_until)


def test_either_the_poverty_letter_or_the_list_suffices():
    full = [paper("akta_kematian", TODAY), paper("ktp_pemohon")]
    assert [g.requirement.code for g in papers.gaps(BARITO, full, {}, TODAY)] == ["sktm"]
    assert papers.gaps(BARITO, full, {"registered": True}, TODAY) == ()
    assert papers.gaps(BARITO, [*full, paper("sktm")], {}, TODAY) == ()


def test_a_certificate_older_than_three_months_is_told_apart_from_a_missing_one():
    old = [paper("akta_kematian", date(2026, 3, 31)), paper("kk"), paper("sktm")]
    assert [g.reason for g in papers.gaps(BARITO, old, {}, TODAY)] == ["akta_kedaluwarsa"]
    young = [paper("akta_kematian", date(2026, 4, 1)), *old[1:]]
    assert papers.gaps(BARITO, young, {}, TODAY) == ()


def test_a_paper_past_its_validity_does_not_count():
    found = papers.gaps(BARITO, [paper("sktm", valid_until=date(2026, 6, 30))], {}, TODAY)
    assert {g.requirement.code for g in found} == {"akta_kematian", "sktm", "kk"}
