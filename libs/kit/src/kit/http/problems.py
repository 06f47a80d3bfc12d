"""Every answer that is not a success: `application/problem+json` (RFC 9457) in Indonesian and English.

The only place that turns exceptions into answers. It never repeats what came in: codes, ids, counts and our own texts.
"""

import errno
import re
import socket
from collections.abc import Iterable, Iterator
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import asyncpg
import sqlalchemy.exc
import structlog
import yaml
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import Scope

from kit import telemetry
from kit.errors import (
    Conflict,
    FieldError,
    Forbidden,
    HeaderRequired,
    Invalid,
    Missing,
    Problem,
    Refused,
    Stale,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from kit.logs import mask
from kit.machine import Reason

MEDIA_TYPE = "application/problem+json"
_AWAY = (
    sqlalchemy.exc.TimeoutError, sqlalchemy.exc.InterfaceError, asyncpg.InterfaceError, asyncpg.InternalClientError,
    ConnectionError, TimeoutError, socket.gaierror,
)  # fmt: skip
"""A database that is away, where there is no SQLSTATE; the last since a container that is down has no name either."""
TYPE_BASE = "https://santun.example/problems/"

_BLANK = re.compile(r"\{(\w+)\}")
_NAME = re.compile(r"[A-Za-z_]\w{0,39}")
_DIGITS = re.compile(r"\d{5}")

_BY_STATUS = {
    400: "invalid", 401: "unauthorized", 403: "scope-missing", 404: "not-found", 405: "method-not-allowed",
    406: "not-acceptable", 408: "slow-body", 413: "too-large", 415: "unsupported-media-type", 422: "invalid",
    429: "too-many-requests", 503: "unavailable",
}  # fmt: skip

_RETRY = {"40001", "40P01", "55P03"}  # serialization, deadlock, lock not available
_DOWN = {"53300", "57014", "57P01", "57P02", "57P03", "25P02", "25P03", "58030"}
"""Too many connections, cancelled, shutting down, input or output fails."""
_INTEGRITY = "23"
_CONNECTION = "08"
_NO_SPACE = "53"
_SIGN_IN = "28"
"""The role's password is being changed: what was given to this process is no longer, or not yet, the right one."""

_FAULTS = {
    "missing": "wajib_diisi",
    "extra_forbidden": "tidak_dikenal",
    "json_invalid": "bukan_json",
    "string_pattern_mismatch": "format_salah",
    "string_too_short": "terlalu_pendek",
    "string_too_long": "terlalu_panjang",
    "string_unicode": "bukan_teks",
    "too_short": "terlalu_sedikit",
    "too_long": "terlalu_banyak",
    "greater_than": "terlalu_kecil",
    "greater_than_equal": "terlalu_kecil",
    "less_than": "terlalu_besar",
    "less_than_equal": "terlalu_besar",
    "enum": "tidak_ada_dalam_daftar",
    "literal_error": "tidak_ada_dalam_daftar",
}
_FAULT_FAMILIES = (
    ("uuid", "bukan_uuid"), ("datetime", "bukan_waktu"), ("date", "bukan_tanggal"), ("time", "bukan_waktu"), ("int", "bukan_bilangan_bulat"),
    ("bool", "jenis_salah"), ("string", "jenis_salah"), ("list", "jenis_salah"), ("model", "jenis_salah"),
    ("dict", "jenis_salah"),
)  # fmt: skip
_LIMITS = {"ge": "min", "gt": "min", "min_length": "min", "le": "max", "lt": "max", "max_length": "max"}


class Texts:
    """The words of problems and reasons, read once from the contracts folder; a code without words speaks for itself."""

    def __init__(self, contracts_dir: Path) -> None:
        own = _load(contracts_dir / "reference" / "problems.yaml")
        reasons = _load(contracts_dir / "reference" / "reasons.yaml")
        self._problems: dict[str, dict[str, str]] = own.get("problems", {})
        self._codes: dict[str, dict[str, str]] = reasons.get("reasons", reasons)

    def problem(self, slug: str, values: dict[str, Any]) -> dict[str, str]:
        """title, title_id, detail and detail_id of a problem type."""
        words = self._problems.get(slug, {})
        return {name: _fill(words.get(name, slug), values) for name in ("title", "title_id", "detail", "detail_id")}

    def knows(self, code: str) -> bool:
        """Whether the code stands in the catalogue."""
        return code in self._codes

    def reason(self, code: str, params: Iterable[tuple[str, str | int]]) -> dict[str, str]:
        """The code with its Indonesian and English words, and the next step where the catalogue names one."""
        words, values = self._codes.get(code, {}), dict(params)
        said = {"code": code}
        for key, member in (("id", "text_id"), ("en", "text_en"), ("next_id", "next_id"), ("next_en", "next_en")):
            if key in words or key in {"id", "en"}:
                said[member] = _fill(words.get(key, code), values)
        return said


def answer(error: Exception, scope: Scope, texts: Texts) -> JSONResponse:
    """The problem document for any exception. Unforeseen ones are logged here and answered 500 with the trace id only."""
    problem = as_problem(error, texts)
    if problem is None:
        structlog.get_logger("kit.http").error("unexpected_error", exc_info=error)
        problem = Problem()
    status = problem.status
    body: dict[str, Any] = {
        "type": TYPE_BASE + problem.slug,
        **texts.problem(problem.slug, _values(problem)),
        "status": status,
        "instance": mask(scope.get("path", "")),
        "trace_id": telemetry.trace_id(),
    }
    if isinstance(problem, Refused):
        body["reasons"] = [texts.reason(r.code, r.params) for r in problem.refusal.reasons]
    elif isinstance(problem, Conflict):
        body["reasons"] = [_reason(texts, problem.reason)]
    elif isinstance(problem, Invalid):
        body["errors"] = [{"pointer": e.pointer, **texts.reason(e.code, e.params)} for e in problem.errors]
    return JSONResponse(body, status, _headers(problem, error), media_type=MEDIA_TYPE)


def as_problem(error: Exception, texts: Texts) -> Problem | None:
    """The problem that an exception stands for; None when nobody foresaw it."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return Invalid([_field_error(fault, texts) for fault in error.errors()])
    if isinstance(error, HTTPException):
        if _no_room(error.__cause__):  # FastAPI calls an upload that found no room on disk a bad request
            return Unavailable("storage")
        return error.__cause__ if isinstance(error.__cause__, Problem) else _of_status(error)
    return Unavailable("storage") if _no_room(error) else _of_database(error)


def _no_room(error: BaseException | None) -> bool:
    """Whether a file could not be written for want of space: nobody's fault who calls, and it passes."""
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}


def sqlstate(error: BaseException) -> str | None:
    """The SQLSTATE of a database error, however SQLAlchemy or asyncpg wrapped it."""
    source = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
    found = getattr(source, "sqlstate", None)
    return found if isinstance(found, str) else None


def _of_database(error: Exception) -> Problem | None:
    """A database that is down or busy is 503, rows in each other's way are 409; neither tells values."""
    if isinstance(error, sqlalchemy.exc.DBAPIError) and error.connection_invalidated:
        return Unavailable("database")
    state = sqlstate(error)
    if state is not None:
        if state in _RETRY:
            return Conflict("bersamaan_dengan_permintaan_lain", retry_after=1)
        if state in _DOWN or state[:2] in {_CONNECTION, _NO_SPACE, _SIGN_IN}:
            return Unavailable("database")
        if state.startswith(_INTEGRITY):
            structlog.get_logger("kit.http").warning("integrity_conflict", sqlstate=state)
            return Conflict("bertentangan_dengan_data_tersimpan")
        return None
    # No way to the server is to Python no error of a connection, since none came about.
    away = isinstance(error, _AWAY) or getattr(error, "errno", None) in {errno.EHOSTUNREACH, errno.ENETUNREACH}
    return Unavailable("database") if away else None


def _of_status(error: HTTPException) -> Problem:
    problem = Problem()
    problem.status = error.status_code
    problem.slug = _BY_STATUS.get(
        error.status_code, "internal" if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid"
    )
    return problem


def _field_error(fault: dict[str, Any], texts: Texts) -> FieldError:
    """One fault of pydantic in our words. Names out of the request are repeated only when they look like names."""
    kind, context = str(fault["type"]), fault.get("ctx") or {}
    code = _FAULTS.get(kind) or next((c for start, c in _FAULT_FAMILIES if kind.startswith(start)), "nilai_tidak_sah")
    if kind == "value_error" and texts.knows(said := str(fault["msg"]).removeprefix("Value error, ")):
        code = said
    params = tuple((blank, context[name]) for name, blank in _LIMITS.items() if isinstance(context.get(name), int))
    return FieldError("".join(_pointer(fault["loc"])), code, params)


def _pointer(loc: Iterable[str | int]) -> Iterator[str]:
    place, *rest = loc
    if place == "header":
        place = "headers"
    if place != "body":
        yield f"/{place}"
    for part in rest:
        known = isinstance(part, int) or (_NAME.fullmatch(part.replace("-", "_")) and not _DIGITS.search(part))
        yield f"/{part}" if known else "/?"


def _values(problem: Problem) -> dict[str, Any]:
    match problem:
        case Missing():
            return {"what": problem.what}
        case Stale():
            return {"current": problem.current}
        case TooLarge():
            return {"limit": problem.limit, "unit": problem.unit}
        case Forbidden():
            return {"scope": problem.scope}
        case HeaderRequired():
            return {"header": problem.header}
        case Unavailable():
            return {"dependency": problem.dependency}
        case _:
            return {}


def _headers(problem: Problem, error: Exception) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, HTTPException) and error.headers and "Allow" in error.headers:
        headers["Allow"] = error.headers["Allow"]
    if isinstance(problem, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(problem, Stale):
        headers["ETag"] = f'"{problem.current}"'
    retry_after = getattr(problem, "retry_after", None)
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    if problem.status in {408, 413, 431}:
        headers["Connection"] = "close"
    return headers


def _reason(texts: Texts, reason: Reason) -> dict[str, str]:
    return texts.reason(reason.code, reason.params)


def _fill(words: str, values: dict[str, Any]) -> str:
    return _BLANK.sub(lambda blank: str(values.get(blank[1], blank[0])), words)


@lru_cache(maxsize=8)
def texts(contracts_dir: Path) -> Texts:
    """The words of a folder, read once in a process: whoever uses them only reads."""
    return Texts(contracts_dir)


def _load(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader) or {} if path.is_file() else {}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route: which problem statuses it can answer, for the OpenAPI document."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }
