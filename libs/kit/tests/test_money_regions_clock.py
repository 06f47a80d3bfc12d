"""Whole rupiah, region codes by groups, and a clock that only a story may move."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit import clock as office
from kit.clock import Clock
from kit.money import MAX_IDR, format_id, rupiah
from kit.regions import covers, is_code, kecamatan


@given(st.integers(0, MAX_IDR))
def test_an_amount_reads_back_as_it_was_written(amount: int) -> None:
    assert rupiah(format_id(amount)) == amount
    assert rupiah(str(amount)) == amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("Rp 2.000.000", 2_000_000), ("rp2.000.000,00", 2_000_000), ("Rp. 500.000,-", 500_000), (" 0 ", 0),
        ("10.000.000.000", 10_000_000_000),
    ],
)  # fmt: skip
def test_amounts_of_forms_and_spreadsheets_are_understood(text: str, amount: int) -> None:
    assert rupiah(text) == amount


@pytest.mark.parametrize("text", ["", "Rp", "2,000,000", "2.00", "1.000,50", "-5", "1e6", "2000.000", "٣", "9" * 20])
def test_an_unclear_amount_is_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        rupiah(text)


def test_a_debt_is_shown_with_its_sign() -> None:
    assert format_id(-1_500_000) == "-Rp 1.500.000"


def test_a_region_covers_by_whole_groups() -> None:
    assert covers(["32.76"], "32.76")
    assert covers(["11.01", "32.76"], "32.76.03.1001")
    assert not covers(["32.76"], "32.761")
    assert not covers(["32.76.03"], "32.76")
    assert not covers([], "32.76")
    assert not covers([""], "32.76")


def test_codes_have_one_to_four_groups() -> None:
    assert all(map(is_code, ["32", "32.76", "32.76.03", "32.76.03.1001"]))
    assert not any(map(is_code, ["", "3", "32.", "32.7", "32.76.03.100", "32.76.03.1001.1", "3276", "32.76.03.1001\n"]))
    assert kecamatan("32.76.03.1001") == "32.76.03"
    assert kecamatan("32.76") == "32.76"


def test_real_time_is_utc_and_today_is_the_offices_day(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    clock = Clock(file=file)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)
    assert clock.now().tzinfo is UTC
    office.move(file, datetime(2026, 6, 30, 17, 30, tzinfo=UTC))
    assert Clock(file=file).today() == date(2026, 7, 1)
    assert Clock(file=file, zone="Asia/Jayapura").today() == date(2026, 7, 1)
    office.move(file, datetime(2026, 6, 30, 15, 30, tzinfo=UTC))
    assert Clock(file=file).today() == date(2026, 6, 30)
    assert Clock(file=file, zone="Asia/Jayapura").today() == date(2026, 7, 1)


def test_a_moved_clock_runs_on_and_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    clock = Clock(file=file)
    to = datetime(2031, 1, 1, tzinfo=UTC)
    office.move(file, to)
    assert to <= clock.now() < to + timedelta(seconds=5)
    first = clock.now()
    assert clock.now() > first
    file.unlink()
    assert clock.offset() == timedelta()


def test_an_instant_without_its_offset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="offset"):
        office.move(tmp_path / "clock", datetime(2031, 1, 1))  # noqa: DTZ001
