"""A partner's ten lines, a Kafka client and the CloudEvents SDK read what really happened."""

import ast
import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from kit.ids import new_id
from private_stack import PrivateStack, plain
from stack.office import Office
from stack.places import ROOT

SCRIPT = ROOT / "docs" / "examples" / "read_topic.py"
VILLAGE = "32.76.03.1001"


@pytest_asyncio.fixture
async def office(stack: PrivateStack) -> AsyncIterator[Office]:
    """People at work."""
    at_work = Office(stack.system)
    yield at_work
    await at_work.close()


def test_the_script_has_ten_lines_and_knows_nothing_of_ours():
    tree = ast.parse(SCRIPT.read_text())
    code = {node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt) and not _is_text(node)}
    assert len(code) <= 10
    modules = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    modules |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module.partition(".")[0] for module in modules} - set(sys.stdlib_module_names) == {
        "aiokafka",
        "cloudevents",
    }


async def test_the_topic_of_deaths_is_read(stack: PrivateStack, office: Office, tmp_path: Path):
    desk = office.desk("op_desa", "registry")
    form = {"source": "rt", "died_on": "2026-01-14", "region_code": VILLAGE, "subject_name": "Warga Contoh"}
    death = plain(await desk.post("/v1/deaths", json=form))
    akta = {"akta_no": f"3276-KM-{new_id().hex[-8:]}", "issuer_code": "32.76", "issued_on": "2026-01-18"}
    verifier = office.desk("verifikator", "registry")
    answer = await verifier.post(
        f"/v1/deaths/{death['id']}:certify", json=akta, headers={"If-Match": f'"{death["version"]}"'}
    )
    assert answer.status_code == 200, answer.text
    lines = await _read(
        stack, "registry.death", tmp_path, until=f"org.santun.registry.death.certified.v1 {death['id']} "
    )
    mine = [line for line in lines if death["id"] in line.split(" ", 2)[1]]
    assert [line.split()[0] for line in mine] == [
        "org.santun.registry.death.reported.v1",
        "org.santun.registry.death.certified.v1",
    ]
    assert [line.split()[2] for line in mine] == ["0000000001", "0000000002"]
    told = ast.literal_eval(mine[-1].split(" ", 3)[3])
    assert (told["death_record_id"], told["state"]) == (death["id"], "certified")
    assert "Warga" not in "".join(lines)


async def _read(stack: PrivateStack, topic: str, folder: Path, *, until: str) -> list[str]:
    """Run the script until a line begins as given; all lines so far."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, SCRIPT, stack.system.kafka.bootstrap, topic, cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    lines: list[str] = []
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            while not (lines and lines[-1].startswith(until)):
                line = await process.stdout.readline()
                assert line, "the script ended"
                lines.append(line.decode().rstrip("\n"))
    finally:
        process.kill()
        await process.wait()
    return lines


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
