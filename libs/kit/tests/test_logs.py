"""Nothing personal reaches a log line, whoever writes it; what we need to follow a request does."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from kit import logs, telemetry
from kit.ids import new_id
from kit.logs import HIDDEN, mask

NIK = "3276031502900003"


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level


@pytest.mark.parametrize(
    "text",
    [
        f"nik {NIK}", f"nik_{NIK}", f"NIK-{NIK}.", f"a{NIK}b", "3276 0315 0290 0003", "3276.0315.0290.0003",
        "3276-0315-0290-0003", "+6281234567890", "+62 812-3456-7890", "0812 3456 7890", "081234567890", "6281234567890",
        "rek 1234567890", "https://x/y?nik=3276031502900003&z=1", "kk=3276031502900003,3276031502900004",
    ],
)  # fmt: skip
def test_numbers_of_people_are_masked_wherever_they_stand(text: str) -> None:
    assert not any(run in mask(text) for run in (NIK, "0315", "3456", "1234567"))
    assert HIDDEN in mask(text)


@given(st.text("0123456789", min_size=10, max_size=30), st.text(), st.text())
def test_no_long_run_of_digits_survives(run: str, before: str, after: str) -> None:
    assert run not in mask(f"{before} {run} {after}")


def test_our_own_ids_and_figures_stay_readable() -> None:
    ids = [str(new_id()) for _ in range(200)]
    kept = [*ids, "4bf92f3577b34da6a3ce929d0e0e4736", "00112233445566778899001122334455", "SK-7K4M-92QD-X",
            "Rp 10.000.000.000", "32.76.03.1001", "2026-07-01T08:00:00.123456+00:00", "ab" * 32]  # fmt: skip
    for text in kept:
        assert mask(f"x {text} y") == f"x {text} y"


def test_lines_are_json_with_service_and_trace_and_hide_forbidden_fields(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("sample", form="json")
    with telemetry.span("work"):
        trace = telemetry.trace_id()
        structlog.contextvars.bind_contextvars(actor="u1")
        structlog.get_logger().info(
            "done",
            nik=NIK,
            nested={"full_name": "Budi", "deep": [{"phone": "x"}]},
            count=3,
            raw=b"Budi",
            big=int(NIK),
            obj=Holder(),
        )
        structlog.contextvars.clear_contextvars()
    line = json.loads(capsys.readouterr().out)
    assert (line["service"], line["trace_id"], line["actor"], line["count"], line["level"]) == (
        "sample",
        trace,
        "u1",
        3,
        "info",
    )
    assert (line["nik"], line["big"], line["raw"]) == (HIDDEN, HIDDEN, "4 bytes")
    assert line["nested"] == {"full_name": HIDDEN, "deep": [{"phone": HIDDEN}]}
    assert "Budi" not in str(line)
    assert NIK not in str(line)


class Holder:
    def __str__(self) -> str:
        return f"holder of {NIK}"


def test_the_standard_library_and_exceptions_pass_the_same_filter(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("sample", form="json")
    try:
        try:
            int(f"Budi {NIK}")
        except ValueError as cause:
            raise RuntimeError(f"could not read {NIK}") from cause
    except RuntimeError:
        logging.getLogger("uvicorn.error").exception("failed for %s", NIK)
    out = capsys.readouterr().out
    line = json.loads(out)
    assert "RuntimeError: could not read [hidden]" in line["exception"]
    assert "ValueError" in line["exception"]
    assert "test_logs.py" in line["exception"]
    assert NIK not in out
    assert "Budi" not in out


def test_a_traceparent_is_continued_and_a_broken_one_starts_anew() -> None:
    headers: dict[str, str] = {}
    with telemetry.span("outer", traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"):
        assert telemetry.trace_id() == "4bf92f3577b34da6a3ce929d0e0e4736"
        with telemetry.span("inner"):
            telemetry.inject(headers)
    assert headers["traceparent"].startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
    assert "00f067aa0ba902b7" not in headers["traceparent"]
    assert telemetry.extract(headers) == headers["traceparent"]
    for broken in (
        "",
        "x",
        "00-" + "0" * 32 + "-" + "0" * 16 + "-01",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ):
        assert telemetry.extract({"traceparent": broken}) is None
        with telemetry.span("outer", traceparent=broken):
            assert len(telemetry.trace_id()) == 32
    assert telemetry.trace_id() == ""
    assert telemetry.traceparent() is None
