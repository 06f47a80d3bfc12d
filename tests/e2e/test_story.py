"""The story on a stack of its own, scaled down: it can be told twice, the books are right, and a partner can read along.

The full size is what `make up` tells.
"""

import ast
import asyncio
import sys
from pathlib import Path

import pytest
from e2e.collector import Collector
from kit.testing import eventually
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from private_stack import UNSETTLED, PrivateStack
from stack import journal, story
from stack.places import ROOT
from stack.story.teller import Memory

SCRIPT = ROOT / "docs" / "examples" / "read_topic.py"
FAMILIES, CLAIMS = 900, 6
PREFIX = "org.santun."


@pytest.fixture(scope="module")
def told(stack: PrivateStack) -> Memory:
    """The story as it was told the first time."""
    return story.run(stack.system, stack.said.append, families=FAMILIES, claims_count=CLAIMS)


async def test_the_story_leaves_every_invariant_whole(stack: PrivateStack, told: Memory):
    """Among them: journals sum to zero, ceilings are what became of them, no right paid twice, all announced has arrived."""
    await stack.at_rest(within=120)
    assert len(told.cases) == told.figures["batch_count"] == CLAIMS
    assert told.figures["rows_ok"] + told.figures["rows_rejected"] == told.figures["rows_read"]


async def test_telling_it_again_adds_nothing(stack: PrivateStack, told: Memory):
    await stack.at_rest(within=120)
    before = await _settled(stack)
    again = await asyncio.to_thread(story.run, stack.system, stack.said.append, families=FAMILIES, claims_count=CLAIMS)
    await stack.at_rest(within=120)
    assert again.figures == told.figures
    assert await _settled(stack) == before
    assert sum(before[service]["outbox"] for service in stack.members) > CLAIMS


async def test_a_partner_reads_every_death_with_ten_lines(stack: PrivateStack, told: Memory, tmp_path: Path):
    lines = await _read(stack, "registry", "registry.death", tmp_path)
    for case in told.cases:
        mine = [line.split(" ", 3) for line in lines if line.split(" ", 2)[1] == case.death["id"]]
        assert [line[0] for line in mine][:2] == [
            f"{PREFIX}registry.death.{name}.v1" for name in ("reported", "certified")
        ]
        assert [line[2] for line in mine] == [f"{number:010d}" for number in range(1, len(mine) + 1)]
        assert ast.literal_eval(mine[1][3])["state"] == "certified"


async def test_a_partner_reads_every_payment_with_ten_lines(stack: PrivateStack, told: Memory, tmp_path: Path):
    lines = await _read(stack, "disbursement", "disbursement.payment", tmp_path)
    assert len({line.split(" ", 2)[1] for line in lines}) >= CLAIMS
    returned = [line for line in lines if line.startswith(f"{PREFIX}disbursement.payment.returned.v1 ")]
    assert len(returned) == 1
    assert isinstance(ast.literal_eval(returned[0].split(" ", 3)[3])["amount_idr"], int)


def test_the_script_has_ten_lines_and_knows_nothing_of_ours():
    tree = ast.parse(SCRIPT.read_text())
    code = [n for n in ast.walk(tree) if isinstance(n, ast.stmt) and not _is_text(n)]
    assert len({node.lineno for node in code}) <= 10
    modules = {name.name for node in code if isinstance(node, ast.Import) for name in node.names}
    modules |= {node.module or "" for node in code if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names) == {"aiokafka", "cloudevents"}


async def _settled(stack: PrivateStack) -> dict[str, dict[str, int]]:
    """Rows of every table of all services, once two looks in a row are the same."""
    last: dict[str, dict[str, int]] = {}

    async def same() -> bool:
        nonlocal last
        now = {service: _without(await stack.counts(service)) for service in stack.members}
        before, last = last, now
        return now == before

    await eventually(same, within=90, every=2.0)
    return last


async def test_a_claim_is_followed_from_the_desk_to_its_messages_by_its_traces(
    stack: PrivateStack, told: Memory, collector: Collector
):
    """Whoever holds the trace of an answer finds the event, the message in the next service, the spans and the log lines."""
    await stack.at_rest(within=120)
    claim = told.cases[0].claim["id"]
    asked = await _traces(stack, "disbursement", f"key = '{claim}'")
    followed = asked & await _traces(
        stack, "notifications", f"type LIKE '{PREFIX}notifications.notification.planned.%'"
    )
    assert followed, "no message was planned in a trace of the claim"
    for trace in followed:

        async def whole(trace: str = trace) -> bool:
            found = {(span.service, span.kind) for span in collector.of(trace)}
            return {("disbursement", Span.SPAN_KIND_SERVER), ("notifications", Span.SPAN_KIND_CONSUMER)} <= found

        await eventually(whole, within=30)
        lines = list(journal.lines(stack.system, trace=trace, count=1_000))
        assert any(line.startswith("disbursement") and " request " in line for line in lines), lines


async def _traces(stack: PrivateStack, service: str, which: str) -> set[str]:
    """The trace ids that events of a service carry."""
    rows = await stack.sql(
        service, f"SELECT DISTINCT split_part(headers->>'traceparent', '-', 2) FROM outbox WHERE {which}"
    )
    return {str(row[0]) for row in rows if row[0]}


def _without(counts: dict[str, int]) -> dict[str, int]:
    return {table: count for table, count in counts.items() if table not in UNSETTLED}


async def _read(stack: PrivateStack, service: str, topic: str, folder: Path) -> list[str]:
    """Run the script until it has printed as many lines as were announced on the topic."""
    told = (await stack.sql(service, "SELECT count(*) FROM outbox WHERE topic = $1", topic))[0][0]
    process = await asyncio.create_subprocess_exec(
        sys.executable, SCRIPT, stack.system.kafka.bootstrap, topic, cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(90):
            lines = [line.decode() async for line in _lines(process.stdout, told)]
    finally:
        process.kill()
        await process.wait()
    return lines


async def _lines(source: asyncio.StreamReader, count: int):
    for _ in range(count):
        line = await source.readline()
        assert line, "the script ended"
        yield line


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
