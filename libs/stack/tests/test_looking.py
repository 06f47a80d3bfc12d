"""Looking into a stack: events in sentences, logs by trace, what is wrong in plain words, one clock for all."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from kit.clock import Clock
from kit.events import topics
from kit.events.envelope import Event
from kit.events.schemas import Contracts
from private_stack import free_base
from stack import doctor, journal, office, timeline, watched
from stack.places import CONTRACTS, Ports
from stack.system import System
from stack.trouble import Trouble

KEY = UUID("0198c0de-0000-7000-8000-000000000001")


@pytest.fixture
def system(tmp_path):
    (tmp_path / "data").mkdir()
    return System(tmp_path / "data", Ports(free_base()), members=())


def event(type, **data):
    return Event(
        id=KEY, type=type, source="/registry", key=KEY, sequence=1, time=datetime(2025, 1, 1, tzinfo=UTC), data=data
    )


def test_every_event_of_the_catalogue_has_a_sentence_whose_blanks_its_example_fills():
    for contract in Contracts(CONTRACTS):
        for lang in ("id", "en"):
            said = timeline.sentence(event(contract.type, **contract.schema["examples"][0]), lang)
            assert said, contract.name
            assert "{" not in said, contract.name


def test_money_in_a_sentence_reads_as_rupiah():
    assert timeline._shown("amount_idr", 2_000_000) == "Rp 2.000.000"
    assert timeline._shown("groups", ["welfare", "life"]) == "welfare, life"


def test_an_unknown_event_is_shown_by_its_type():
    assert timeline.sentence(event("org.santun.registry.never.v1")) == "org.santun.registry.never.v1"


async def test_the_newest_events_come_in_the_order_they_were_published(kafka):
    from aiokafka import AIOKafkaProducer
    from kit.events.envelope import attributes, encode

    contracts = Contracts(CONTRACTS)
    contract = contracts.event("death.reported")
    await topics.create({"bootstrap_servers": kafka.bootstrap}, contracts, prefix="looking.", partitions=3)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    for number in range(1, 6):
        headers = encode(
            attributes(
                id=KEY, source="/registry", type=contract.type, key=KEY, sequence=number, schema="", classification="internal",
                headers={"time": "2025-01-01T00:00:00Z"},
            )
        )  # fmt: skip
        value = json.dumps(contract.schema["examples"][0]).encode()
        await producer.send_and_wait("looking.registry.death", value, key=str(KEY).encode(), headers=headers)
    await producer.send_and_wait("looking.registry.death", b"not ours", key=b"x")
    await producer.stop()
    entries = await timeline.recent(kafka.bootstrap, ["looking.registry.death"], limit=6)
    assert [entry.sequence for entry in entries] == [1, 2, 3, 4, 5]
    assert entries[0].name == "death.reported"
    assert f"{entries[0].at:%H:%M}" == "07:00"


def test_thousands_of_one_kind_in_one_moment_are_one_line():
    def entry(name, real):
        return timeline.Entry(datetime(2025, 1, 1, tzinfo=UTC), real, "registry.person", "k", name, 1, name)

    found = timeline.fold(
        [
            *(entry("person.registered", at) for at in range(0, 9_000, 3)),
            entry("import.applied", 9_100),
            entry("person.registered", 60_000),
        ]
    )
    assert [(fold.first.name, fold.count) for fold in found] == [
        ("person.registered", 3_000),
        ("import.applied", 1),
        ("person.registered", 1),
    ]


def test_logs_are_found_by_trace_over_all_parts(tmp_path):
    system = System(tmp_path / "data", Ports(free_base()), members=("grants", "registry"))
    system.logs.mkdir(parents=True)
    for name, second in (("registry", 2), ("grants", 1)):
        line = {
            "timestamp": f"2025-01-01T00:00:0{second}Z",
            "level": "info",
            "event": "answered",
            "trace_id": "abc",
            "status": 200,
        }
        (system.logs / f"{name}.log").write_text(json.dumps(line) + "\n" + '{"event": "other"}\nplain words\n')
    found = list(journal.lines(system, trace="abc"))
    assert [line.split()[0] for line in found] == ["grants", "registry"]
    assert "status=200" in found[0]
    with pytest.raises(Trouble, match="Nothing here is called"):
        list(journal.lines(system, "payroll"))


def test_the_doctor_says_that_it_does_not_run_and_how_to_start(system):
    findings = doctor.examine(system)
    assert [finding.next_step for finding in findings if not finding.good][-1] == "Start it with: make up"


def test_the_doctor_says_in_plain_words_what_is_late_and_where_help_is():
    exposed = """# TYPE batch_waiting_seconds gauge
payments_unanswered 3.0
relay_lag_seconds 61.5
consumer_lag_seconds 119.0
"""
    found = list(watched.late("disbursement", exposed))
    assert [(one.what, one.next_step, one.good) for one in found] == [
        (
            "disbursement: committed something 62 s ago that is not announced yet",
            "See: docs/runbooks/OutboxLate.md", False,
        ),
        ("disbursement: 3 payments whose answer is overdue or unknown", "See: docs/runbooks/PaymentsUnanswered.md", False),
    ]  # fmt: skip
    assert [one.good for one in watched.late("grants", "relay_lag_seconds 0.0\n")] == [True]


def test_one_file_moves_the_clock_of_all_services(system):
    office.move_clock(system, datetime(2025, 12, 30, 1, tzinfo=UTC))
    seen = Clock(file=system.data / "clock").now()
    assert timedelta() <= seen - datetime(2025, 12, 30, 1, tzinfo=UTC) < timedelta(seconds=10)
    assert abs(office.business_now(system) - seen) < timedelta(seconds=5)


def test_only_a_data_folder_of_santun_is_ever_deleted(system):
    (system.data / "thesis.txt").write_text("years of work")
    with pytest.raises(Trouble, match="does not look like"):
        journal.forget(system)
    assert (system.data / "thesis.txt").exists()


def test_secrets_are_made_once_and_private(system):
    first = system.keys
    again = System(system.data, system.ports).keys
    assert first == again
    assert (system.data / "secrets.json").stat().st_mode & 0o077 == 0
    assert len({*first.field_keys.values(), *first.index_keys.values()}) == 8


def test_what_a_service_is_started_with_is_complete_and_without_the_owner_role(system):
    for name in ("registry", "disbursement", "grants", "notifications"):
        found = system.environment(name)
        assert found["SANTUN_PROFILE"] == "demonstration"
        assert found[f"{name.upper()}_DATABASE_URL"].startswith(f"postgresql://{name}_app:")
        assert not any("OWNER" in variable for variable in found)


def test_the_settings_of_every_service_accept_their_environment(system, monkeypatch):
    from stack.members import member

    for name in ("registry", "disbursement", "grants", "notifications"):
        with monkeypatch.context() as scope:
            for variable, value in system.environment(name).items():
                scope.setenv(variable, value)
            settings = member(name).settings()
        assert settings.profile == "demonstration"
        assert settings.client_id == f"santun-{name}"
        assert settings.issuer == system.url("idp")


def test_what_a_service_lacks_is_named_not_dumped():
    import httpx
    from stack.system import _lacking

    parts = {"database": {"ok": False, "error": "x"}, "outbox": {"ok": True}, "consumer": {"ok": False}}
    assert _lacking(httpx.Response(503, json={"status": "unready", "parts": parts})) == "not ready: database, consumer"
    assert _lacking(httpx.Response(502, text="<html>")) == "it answers 502"
