"""The short run of the driver, and that it would see what it looks for."""

from collections import Counter

from faults.calls import Calls
from faults.canaries import Canaries, leaks
from faults.desk import Desk
from faults.driver import Driver
from faults.ground import KINDS
from faults.links import LinkedStack
from faults.load import Done
from faults.payday import Payday
from faults.report import Report, Verdict
from kit.failpoints import POINTS

SHORT = ("a poison message", "kill -9 of two services at once")
SEED = 20261116


async def test_some_faults_by_seed_lose_double_and_reorder_nothing(stack: LinkedStack, desk: Desk):
    driver = Driver(stack, SEED, [KINDS[name] for name in SHORT], most=len(SHORT))
    report = await driver.run()
    assert report.holds, report.last_word()
    assert report.faults == len(SHORT)


async def test_a_canary_is_found_wherever_it_lies(stack: LinkedStack, desk: Desk):
    """In a log, in a message, in a table: each once planted, each once found, and shown to nobody."""
    canaries = Canaries(seed=5)
    payday = Payday(Calls(desk.office), canaries)
    name, nik, phone = canaries.name(), canaries.nik(canaries.birthday(), "P"), canaries.phone()
    await payday.elder()
    await stack.at_rest()
    assert await leaks(stack, canaries) == []
    log = stack.system.logs / "planted.log"
    log.write_text(f"somebody called {name.upper()}\n")
    await stack.sql("grants", "INSERT INTO read_log (actor, client, purpose, route, fields, subjects) VALUES ($1, 'c', 'p', 'r', '{}', '{}')", phone)  # fmt: skip
    try:
        found = await leaks(stack, canaries)
    finally:
        log.unlink()
        await stack.sql("grants", "DELETE FROM read_log WHERE actor = $1", phone)
    assert [line.split(":")[0] for line in found] == ["I9 log planted.log", "I9 table grants.read_log"]
    assert not canaries.found_in("\n".join(found))
    assert canaries.found_in(nik.encode().hex())


def test_every_crash_point_is_a_kind_of_fault():
    assert {f"crash {point}" for point in POINTS} <= set(KINDS)


def test_a_report_counts_what_was_found():
    report = Report(seed=9)
    report.took(1, "one", [], 2.0)
    assert "1 faults of 1 kinds, 0 events, 0 lost, 0 doubled, 0 reordered, money exact" in report.last_word()
    report.took(2, "one", [], 4.0)
    assert report.table().splitlines()[1].split() == ["one", "2", "3.0", "s", "4.0", "s"]
    report.violated(3, "two", ["registry"], Verdict(lost=["x lacks 1 of 2"], money=["m"]))
    assert not report.holds
    assert "1 lost, 0 doubled, 0 reordered, money wrong 1 times" in report.last_word()
    assert "seed 9, fault 3: two (registry)" in report.last_word()


def test_what_this_machine_cannot_do_is_said_and_counted():
    report = Report(seed=9, left_out={"no space for the tables": "only root can mount a small disk"})
    said = report.last_word().splitlines()
    assert said[0].endswith("; 1 kinds left out")
    assert said[-1] == "left out: no space for the tables (only root can mount a small disk)"


def test_a_load_that_goes_back_keeps_what_was_before_and_names_what_was_not():
    done = Done(deaths=["a"], transfers=Counter({"x": 1}), steps=3)
    known = done.copy()
    done.deaths.append("b")
    done.transfers.update(["x", "y"])
    done.steps = 7
    assert known.deaths == ["a"]
    undone = done.since(known)
    assert (undone.deaths, undone.transfers, undone.steps) == (["b"], Counter({"x": 1, "y": 1}), 4)
