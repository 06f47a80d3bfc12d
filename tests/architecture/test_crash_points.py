"""Every crash point has its place in the code, and no place names a point that there is not (performance.md D3)."""

import ast
import re
from collections.abc import Iterator

from architecture.tree import ROOT, calls, parse, place, sources
from kit.failpoints import POINTS

ORIGIN = re.compile(r"\{self\.origin\}\.(\w+)")
"""Points of the unit of work bear the name of who opened it: `api.after_commit`, `import.before_commit`."""


def placed() -> Iterator[tuple[str, str]]:
    """Every call of `failpoint` with what it names; of a name made of the origin only `*.ending`."""
    for file in sources():
        for node, name in calls(parse(file)):
            if name.split(".")[-1] != "failpoint":
                continue
            (argument,) = node.args
            text = ast.unparse(argument)
            ending = ORIGIN.search(text)
            yield place(file, node), f"*.{ending.group(1)}" if ending else text.strip("'")


def origins() -> set[str]:
    """Who opens a unit of work, as written in the code: `origin="api"`, `uow.origin = "run"`."""
    found: set[str] = set()
    for file in sources():
        for node in ast.walk(parse(file)):
            if isinstance(node, ast.keyword) and node.arg == "origin" and isinstance(node.value, ast.Constant):
                found.add(str(node.value.value))
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "uow.origin":
                found.add(str(ast.literal_eval(node.value)))
    return found


def test_every_call_names_a_point() -> None:
    endings = {f"*.{point.split('.')[1]}" for point in POINTS}
    strange = [f"{where} names {name}" for where, name in placed() if name not in endings | set(POINTS)]
    assert not strange, strange


def test_every_point_stands_in_the_code() -> None:
    named, opened = {name for _, name in placed()}, origins()
    nowhere = [
        point
        for point in POINTS
        if point not in named and not (f"*.{point.split('.')[1]}" in named and point.split(".")[0] in opened)
    ]
    assert not nowhere, f"a crash point without a place proves nothing: {nowhere}"


def test_every_point_is_killed_at_by_a_test() -> None:
    """Tests walk the points of a part (`startswith("relay.")`) or name them."""
    files = [*(ROOT / "tests" / "faults").glob("*.py"), *ROOT.glob("libs/*/tests/*crash*.py")]
    text = "\n".join(file.read_text() for file in files)
    walked = {part for part in {p.split(".")[0] for p in POINTS} if re.search(rf"[\"'(]{part}\.?[\"')]", text)}
    untold = [point for point in POINTS if point not in text and point.split(".")[0] not in walked]
    assert not untold, f"no test dies at {untold}"
