"""Log lines: JSON on stdout (pretty in a terminal), with the trace, the route and the actor, never with personal data.

Everything logs through structlog or the standard library; both end in the same processors, the last of which masks.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

from kit import telemetry
from kit.errors import Problem

FORBIDDEN = frozenset({
    "nik", "kk", "no_kk", "name", "nama", "full_name", "mother_name", "phone", "telephone", "hp", "email",
    "address", "alamat", "street", "account", "account_no", "rekening", "birth_date", "tanggal_lahir", "latitude",
    "longitude", "body", "payload", "token", "access_token", "authorization", "password", "secret",
    "client_secret", "cookie",
})  # fmt: skip
"""Field names whose values never reach a log, at any depth."""

HIDDEN = "[hidden]"
_OWN = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{32})(?![0-9a-f])"
_PHONE = r"(?:\+62|(?<!\d)62|(?<!\d)0)[\s-]?8\d{1,3}(?:[\s-]?\d){6,9}(?!\d)"
_RUN = r"\d{10,}|(?<!\d)\d{4}(?:[ .-]\d{4}){3}(?!\d)"
_MASKED = re.compile(f"({_OWN})|{_PHONE}|{_RUN}")
_DEPTH = 6
_LINES = 200
_SPEAKING = (RuntimeError, AssertionError, TypeError, AttributeError, ImportError, OSError, Problem)


def mask(text: str) -> str:
    """The text without phone numbers and without runs of ten or more digits (NIK, KK, accounts); our ids stay."""
    return _MASKED.sub(lambda found: found[1] or HIDDEN, text)


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog processor: hide forbidden fields and mask every text, at any depth."""
    for name, value in event.items():
        event[name] = HIDDEN if name in FORBIDDEN else _clean(value)
    return event


def _clean(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return mask(value)
    if depth > _DEPTH:
        return HIDDEN
    if isinstance(value, dict):
        return {k: HIDDEN if k in FORBIDDEN else _clean(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item, depth + 1) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"{len(value)} bytes"
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 10**15 else HIDDEN
    return mask(str(value))


def _add_trace(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if trace := telemetry.trace_id():
        event.setdefault("trace_id", trace)
    return event


def _tell_exception(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Where it happened, for the whole chain of causes; messages only of kinds that do not quote values."""
    found = event.pop("exc_info", None)
    error = found[1] if isinstance(found, tuple) else sys.exc_info()[1] if found is True else found
    lines: list[str] = []
    while isinstance(error, BaseException) and len(lines) < _LINES:
        lines.append(
            f"{type(error).__qualname__}: {error}" if isinstance(error, _SPEAKING) else type(error).__qualname__
        )
        lines += [f"  {at.filename}:{at.lineno} {at.name}" for at in traceback.extract_tb(error.__traceback__)]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if lines:
        event["exception"] = "\n".join(lines)
    return event


_SHARED: tuple[Any, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    _add_trace,
    _tell_exception,
)


def configure(service: str, *, level: str = "info", form: str = "auto") -> None:
    """Send structlog and the standard library (uvicorn, aiokafka, alembic) through the same processors to stdout."""
    pretty = form == "pretty" or (form == "auto" and sys.stdout.isatty())
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=False,
    )
    renderer: Any = structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(default=str)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *_SHARED],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _name(service), redact, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"  # the edge writes one line per request itself
    for name in ("httpx", "httpcore", "aiokafka", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _name(service: str) -> Any:
    def add(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("service", service)
        return event

    return add


# Before anyone configures (tests, tools) the same rules hold: masked, and no traceback with local values.
structlog.configure(processors=[*_SHARED, redact, structlog.dev.ConsoleRenderer(colors=False)])
