"""Who may move an import run, and the brake."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.machine import SYSTEM, Context, Refusal, allows
from registry.imports.domain import (
    MOVES,
    Approve,
    Compare,
    Difference,
    Discard,
    Finish,
    Parse,
    Reject,
    Run,
    State,
    Totals,
    Upload,
    brake,
    decide,
)

DAY = date(2026, 7, 1)
RUN = Run(State.RECEIVED, "op-1", DAY, Totals(10, 9, 1))
ROLES = ("op_desa", "op_kab", "verifikator", "kabid", "kadis", "inspektorat", SYSTEM)
COMMANDS = (
    Upload(DAY),
    Parse(Totals(10, 9, 1)),
    Reject("tajuk_kurang"),
    Compare(Difference()),
    Approve(sample_seen=True),
    Finish(9),
    Discard("salah berkas"),
)


def by(role: str, actor: str = "somebody") -> Context:
    return Context(actor, frozenset({role}), datetime(2026, 7, 1, 3, tzinfo=UTC), DAY)


@pytest.mark.parametrize(("state", "command"), list(product((None, *State), COMMANDS)))
def test_every_cell(state, command):
    for role in ROLES:
        run = None if state is None else replace(RUN, state=state)
        decided = decide(run, command, by(role))
        assert isinstance(decided, Refusal) is not allows(MOVES, state, type(command), {role}), role


def test_the_uploader_hears_every_reason_against_approving():
    refusal = decide(replace(RUN, state=State.READY), Approve(sample_seen=False), by("kabid", "op-1"))
    assert [r.code for r in refusal.reasons] == ["pengunggah_menyetujui", "laporan_belum_dibaca"]


@given(st.integers(1, 10_000), st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_brake_speaks_above_five_percent_and_only_then(current, changed, gone):
    codes = brake(Difference(current=current, changed=changed, gone=gone))
    assert ("rem_perubahan" in codes) is (changed > 0.05 * current)
    assert ("rem_hilang" in codes) is (gone > 0.05 * current)


@given(st.integers(0, 10_000))
def test_an_empty_base_brakes_nothing(new):
    assert brake(Difference(current=0, new=new)) == ()


def test_a_list_of_tomorrow_or_older_than_the_newest_is_refused():
    assert [r.code for r in decide(None, Upload(date(2026, 7, 2)), by("op_kab")).reasons] == ["di_masa_depan"]
    older = decide(None, Upload(DAY, newest=date(2026, 7, 2)), by("op_kab"))
    assert [r.code for r in older.reasons] == ["lebih_lama_dari_yang_ada"]


@pytest.mark.parametrize("applied", [0, 8, 10])
def test_a_run_ends_only_when_its_chunks_hold_every_line_once(applied):
    assert isinstance(decide(replace(RUN, state=State.APPROVED), Finish(applied), by(SYSTEM)), Refusal)
