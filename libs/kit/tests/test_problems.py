"""Whatever goes wrong is told in one form, in two languages, and without what was sent."""

import errno
import json
from pathlib import Path

import asyncpg
import desk
import pytest
import sqlalchemy.exc
import yaml
from kit.db.engine import create_engine
from kit.errors import Conflict, Problem, Unavailable
from kit.http.problems import TYPE_BASE, Texts, as_problem, problems
from kit.settings import _contracts
from starlette.exceptions import HTTPException

CONTRACTS = _contracts()
CANARY = "3276031502900003"
TEXTS = Texts(CONTRACTS)


async def test_a_fault_is_named_by_field_and_code_and_the_input_is_not_repeated(tmp_path: Path) -> None:
    body = {
        "amount_idr": f"Rp {CANARY}", "day": CANARY, "tags": [CANARY, 1], "note": f"SECRET {CANARY}", CANARY: CANARY,
        "unknown_field": CANARY,
    }  # fmt: skip
    async with desk.unconnected(tmp_path).client() as client:
        answer = await client.post(
            f"/v1/things/{CANARY}:change?{CANARY}={CANARY}", json=body,
            headers={"idempotency-key": "k" * 8, "if-match": '"1"'},
        )  # fmt: skip
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert CANARY not in answer.text
    assert "SECRET" not in answer.text
    found = {fault["pointer"]: fault["code"] for fault in answer.json()["errors"]}
    assert found["/amount_idr"] == "bukan_bilangan_bulat"
    assert found["/day"] == "bukan_tanggal"
    assert found["/tags/1"] == "jenis_salah"
    assert found["/note"] == "nilai_tidak_sah"
    assert found["/unknown_field"] == "tidak_dikenal"
    assert found["/?"] == "tidak_dikenal"
    assert found["/path/id"] == "bukan_uuid"
    assert all(fault["text_id"] and fault["text_en"] for fault in answer.json()["errors"])


async def test_limits_of_a_field_are_said_in_words(tmp_path: Path) -> None:
    async with desk.unconnected(tmp_path).client() as client:
        answer = await client.post(
            "/v1/things", json={"amount_idr": 0, "note": "KNOWN"}, headers={"idempotency-key": "k" * 8}
        )
    faults = {fault["pointer"]: fault for fault in answer.json()["errors"]}
    assert faults["/amount_idr"]["code"] == "terlalu_kecil"
    assert "1" in faults["/amount_idr"]["text_id"]
    assert faults["/note"]["code"] == "format_salah", "a validator may name a code of the catalogue"


@pytest.mark.parametrize("amount", [1.5, "1000", True, None, 2**53, -1, 1e3])
async def test_money_is_a_whole_json_number(tmp_path: Path, amount: object) -> None:
    async with desk.unconnected(tmp_path).client() as client:
        answer = await client.post("/v1/things", json={"amount_idr": amount}, headers={"idempotency-key": "k" * 8})
    assert answer.status_code == 422


async def test_what_nobody_foresaw_is_500_with_the_trace_id_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    incoming = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    async with desk.unconnected(tmp_path).client() as client:
        answer = await client.get("/v1/broken", headers={"traceparent": incoming})
    assert answer.status_code == 500
    assert answer.json()["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert answer.headers["traceparent"].startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
    for secret in ("Budi", CANARY, "ValueError", "Traceback"):
        assert secret not in answer.text
    logged = capsys.readouterr().out
    assert "ValueError" in logged
    assert "desk.py" in logged
    assert "Budi" not in logged
    assert CANARY not in logged


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [("GET", f"/nowhere/{CANARY}", 404, "not-found"), ("DELETE", "/v1/echo", 405, "method-not-allowed")],
)
async def test_addresses_that_do_not_exist_are_problems_too(
    tmp_path: Path, method: str, path: str, status: int, slug: str
) -> None:
    async with desk.unconnected(tmp_path).client() as client:
        answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["type"]) == (status, TYPE_BASE + slug)
    assert CANARY not in answer.text
    assert (answer.headers.get("allow") == "POST") is (status == 405)


async def test_a_database_that_is_not_there_is_503_with_a_time_to_come_back(tmp_path: Path) -> None:
    async with desk.unconnected(tmp_path).client() as client:
        answer = await client.get("/v1/things")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


class DriverError(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__(f"Key (nik)=({CANARY}) already exists")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("sqlstate", "kind", "code"),
    [
        ("55P03", Conflict, "bersamaan_dengan_permintaan_lain"), ("40001", Conflict, "bersamaan_dengan_permintaan_lain"),
        ("40P01", Conflict, "bersamaan_dengan_permintaan_lain"), ("23505", Conflict, "bertentangan_dengan_data_tersimpan"),
        ("23514", Conflict, "bertentangan_dengan_data_tersimpan"), ("57014", Unavailable, None),
        ("57P01", Unavailable, None), ("53300", Unavailable, None), ("53100", Unavailable, None), ("58030", Unavailable, None),
        ("08006", Unavailable, None), ("28P01", Unavailable, None), ("28000", Unavailable, None),
        ("42P01", type(None), None),
    ],
)  # fmt: skip
def test_errors_of_the_database_are_busy_down_or_ours(sqlstate: str, kind: type, code: str | None) -> None:
    wrapped = sqlalchemy.exc.DBAPIError("INSERT", {"nik": CANARY}, DriverError(sqlstate))
    problem = as_problem(wrapped, TEXTS)
    assert isinstance(problem, kind)
    assert CANARY not in str(problem)
    if isinstance(problem, Conflict):
        assert problem.reason.code == code
        assert (problem.retry_after is not None) is (code == "bersamaan_dengan_permintaan_lain")


def test_errors_of_the_driver_itself_are_understood_too() -> None:
    assert isinstance(as_problem(asyncpg.LockNotAvailableError("x"), TEXTS), Conflict)
    assert isinstance(as_problem(asyncpg.ConnectionDoesNotExistError("x"), TEXTS), Unavailable)
    assert isinstance(as_problem(asyncpg.InterfaceError("connection is closed"), TEXTS), Unavailable)
    assert isinstance(as_problem(asyncpg.InternalClientError("x"), TEXTS), Unavailable)
    assert isinstance(as_problem(ConnectionRefusedError(), TEXTS), Unavailable)
    assert isinstance(as_problem(OSError(errno.EHOSTUNREACH, "no route to host"), TEXTS), Unavailable)
    assert isinstance(as_problem(sqlalchemy.exc.TimeoutError(), TEXTS), Unavailable)
    assert as_problem(ValueError(), TEXTS) is None
    assert as_problem(FileNotFoundError(errno.ENOENT, "no such file"), TEXTS) is None


async def test_a_database_whose_name_is_gone_is_not_there() -> None:
    """The name of a container ends with it."""
    engine = create_engine("postgresql://app:app@database.invalid/registry", pool_size=1, name="test")
    with pytest.raises(OSError, match=r"\[Errno") as gone:
        await engine.connect().start()
    assert isinstance(as_problem(gone.value, TEXTS), Unavailable)


@pytest.mark.parametrize("full", [errno.ENOSPC, errno.EDQUOT])
def test_no_room_for_a_file_is_503_wherever_it_was_noticed(full: int) -> None:
    """FastAPI makes 400 of whatever goes wrong while it takes an upload in."""
    parsing = HTTPException(400, "There was an error parsing the body")
    parsing.__cause__ = OSError(full, "no room")
    for error in (OSError(full, "no room"), parsing):
        problem = as_problem(error, TEXTS)
        assert isinstance(problem, Unavailable)
        assert problem.dependency == "storage"
    assert as_problem(OSError(errno.EACCES, "not allowed"), TEXTS) is None


def _subclasses(kind: type[Problem]) -> set[type[Problem]]:
    return {kind} | {found for sub in kind.__subclasses__() for found in _subclasses(sub)}


def test_every_problem_type_has_words_in_both_languages_and_a_page() -> None:
    from kit.http import problems as module

    slugs = {kind.slug for kind in _subclasses(Problem)} | set(module._BY_STATUS.values())
    slugs |= {"role-not-allowed", "header-required", "precondition-required"}
    words = yaml.safe_load((CONTRACTS / "reference" / "problems.yaml").read_text())
    assert slugs == set(words["problems"])
    for slug in slugs:
        assert {"title", "title_id", "detail", "detail_id"} <= set(words["problems"][slug])
        page = CONTRACTS.parent / "docs" / "problems" / f"{slug}.md"
        assert page.read_text().startswith(f"# {words['problems'][slug]['title']}")


def test_every_code_of_the_kit_has_words() -> None:
    from kit.http import problems as module

    codes = {
        *module._FAULTS.values(),
        *(code for _, code in module._FAULT_FAMILIES),
        "nilai_tidak_sah",
        "kunci_ganda",
    }
    codes |= {"json_terlalu_dalam", "bukan_teks", "kunci_tidak_sesuai", "kunci_dipakai_ulang", "versi_tidak_terbaca"}
    codes |= {"kursor_salah", "permintaan_sedang_berjalan", "bersamaan_dengan_permintaan_lain"}
    assert {code for code in codes if not TEXTS.knows(code)} == set()


def test_blanks_are_filled_and_an_unknown_code_speaks_for_itself() -> None:
    assert "7" in TEXTS.reason("terlalu_panjang", [("max", 7)])["text_en"]
    assert TEXTS.reason("nobody_knows", []) == {
        "code": "nobody_knows",
        "text_id": "nobody_knows",
        "text_en": "nobody_knows",
    }


async def test_the_document_says_scope_region_and_problems_of_every_route(tmp_path: Path) -> None:
    async with desk.unconnected(tmp_path).client() as client:
        document = (await client.get("/openapi.json")).json()
    create = document["paths"]["/v1/things"]["post"]
    assert document["openapi"].startswith("3.1")
    assert create["security"] == [{"oidc": [desk.SCOPE]}]
    assert create["x-region"] == "object"
    assert {"400", "401", "403", "409", "422", "503"} <= set(create["responses"])
    key = next(p for p in create["parameters"] if p["name"] == "Idempotency-Key")
    assert key["required"] is True
    assert document["paths"]["/v1/broken"]["get"]["security"] == []
    assert "HTTPValidationError" not in json.dumps(document)
    assert set(problems(404)) == {404}


async def test_the_pages_of_the_api_need_nothing_from_elsewhere(tmp_path: Path) -> None:
    async with desk.unconnected(tmp_path).client() as client:
        page = await client.get("/docs")
        assert "http" not in page.text.replace("<!doctype html", "").replace("html", "")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "init.js"):
            assert (await client.get(f"/docs/{asset}")).status_code == 200
        assert (await client.get("/docs/..%2Fapp.py")).status_code == 404
