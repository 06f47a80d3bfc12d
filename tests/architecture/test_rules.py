"""House rules that no ready-made linter knows, each from a measured failure or a review (architecture.md 6 and 7)."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
from architecture.tree import ROOT, SERVICES, calls, parse, place, sources

SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE|ALTER TABLE|GRANT|REVOKE)\b")
MIGRATION_TOOLS = {"libs/kit/src/kit/db/migrate.py", "libs/stack/src/stack/databases.py"}
"""They build DDL from names of the code itself, which no parameter can carry."""


def found(rule: str, faults: list[str]) -> None:
    assert not faults, f"{rule}:\n  " + "\n  ".join(faults)


def test_only_the_unit_of_work_commits() -> None:
    faults = [
        place(file, node)
        for file in sources()
        if str(file.relative_to(ROOT))
        not in {"libs/kit/src/kit/db/uow.py", "libs/kit/src/kit/db/migrate.py", "libs/kit/src/kit/service.py"}
        for node, name in calls(parse(file))
        if name.endswith(".commit") and not node.args and not node.keywords
    ]
    found("commit() belongs to kit.db.uow alone", faults)


def test_a_domain_has_no_clock_no_chance_and_no_float() -> None:
    faults = []
    for file in sources():
        if file.name != "domain.py":
            continue
        for node in ast.walk(parse(file)):
            text = ast.unparse(node) if isinstance(node, ast.Call | ast.Name | ast.Attribute) else ""
            if isinstance(node, ast.Constant) and isinstance(node.value, float):
                faults.append(place(file, node) + " float")
            if isinstance(node, ast.Name) and node.id == "float":
                faults.append(place(file, node) + " float")
            if isinstance(node, ast.Call) and re.search(
                r"(datetime\.now|date\.today|utcnow|uuid4|random\.|new_id|time\.time)\(", text + "("
            ):
                faults.append(place(file, node) + " " + text)
    found("a domain is pure: time, ids and chance come in with the context", faults)


def test_no_uuid4_anywhere() -> None:
    faults = [
        place(file, node)
        for file in sources()
        for node, name in calls(parse(file))
        if name.split(".")[-1] == "uuid4" and "libs/stack" not in str(file)
    ]
    found("keys are UUIDv7 (18 times less WAL)", faults)


def test_no_sql_is_built_with_f_strings_or_format() -> None:
    faults = []
    for file in sources():
        if str(file.relative_to(ROOT)) in MIGRATION_TOOLS:
            continue
        for node in ast.walk(parse(file)):
            literal = (
                "".join(str(v.value) for v in node.values if isinstance(v, ast.Constant))
                if isinstance(node, ast.JoinedStr)
                else ""
            )
            if SQL.search(literal) and any(isinstance(v, ast.FormattedValue) for v in getattr(node, "values", [])):
                faults.append(place(file, node))
    found("SQL takes parameters", faults)


def test_broad_excepts_raise_again_or_park() -> None:
    faults = []
    for file in sources():
        for node in ast.walk(parse(file)):
            if not isinstance(node, ast.ExceptHandler):
                continue
            if node.type is not None and ast.unparse(node.type) not in {"Exception", "BaseException"}:
                continue
            body = ast.unparse(ast.Module(node.body, []))
            if not re.search(r"\braise\b|park|_alone", body):
                faults.append(place(file, node))
    found("a swallowed exception is a defect", faults)


def test_tables_never_stand_in_the_api() -> None:
    faults = [
        place(file, node)
        for file in sources("services")
        if file.name == "api.py"
        for node in ast.walk(parse(file))
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(("tables", "store"))
    ]
    found("`table=True` validates nothing, so tables are never inputs or outputs", faults)


ABOVE = {
    "tables": {"store", "queries", "commands", "api", "jobs"},
    "store": {"commands", "api", "jobs"},
    "queries": {"commands", "api", "jobs"},
    "commands": {"api", "jobs"},
    "domain": {"tables", "store", "queries", "commands", "api", "jobs"},
}
"""What a file of a slice never imports: api | consumers -> commands -> domain, commands -> store -> tables."""


def test_slices_keep_their_layers_and_their_privacy() -> None:
    faults = []
    for file in sources("services"):
        package = file.relative_to(ROOT).parts[3:]
        if len(package) < 3:
            continue
        service, own, room = package[0], package[1], file.stem
        for node in ast.walk(parse(file)):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            names = [f"{module}.{alias.name}" for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                parts = name.split(".")
                if parts[0] != service or len(parts) < 3:
                    continue
                if parts[1] != own and parts[2] in {"store", "tables"} and file.stem != "store":
                    faults.append(f"{place(file, node)} reaches into {parts[1]}.{parts[2]}")
                if parts[1] == own and parts[2] in ABOVE.get(room, set()):
                    faults.append(f"{place(file, node)} {room} imports {parts[2]}")
    found("a slice is entered through its commands and queries", faults)


def test_files_and_functions_stay_small() -> None:
    faults = []
    for file in sources():
        lines = file.read_text().count("\n")
        if lines > 400:
            faults.append(f"{file.relative_to(ROOT)} has {lines} lines")
        for node in ast.walk(parse(file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno > 70:
                faults.append(f"{place(file, node)} {node.name} is too long")
    found("a file that grows past 400 lines or a function past 70 holds two things", faults)


def test_the_kit_is_mechanism() -> None:
    nouns = re.compile(
        r"\b(beneficiar|penerima|heir|death|kematian|claim_|enrolment|entitlement|programme|payment|disburse|lks\b|proposal|family|famil|"
        r"kelurahan_|santunan|budget|batch_|rupiah_batch|akta)",
        re.IGNORECASE,
    )
    faults = []
    for file in sources("libs/kit"):
        code = re.sub(r'""".*?"""', "", file.read_text(), flags=re.DOTALL)
        faults += [f"{file.relative_to(ROOT)}: {match.group()}" for match in nouns.finditer(re.sub(r"#.*", "", code))]
    found("no noun of the field in the kit", faults)


def test_the_kit_keeps_its_budget() -> None:
    lines = sum(_code_lines(file) for file in sources("libs/kit"))
    assert lines <= 4_200, f"the kit has {lines} lines of code; past its budget, something in it is policy"


def _code_lines(file: Path) -> int:
    """Lines that hold code: no blanks, comments or docstrings."""
    text = re.sub(r'^\s*""".*?"""\s*$', "", file.read_text(), flags=re.DOTALL | re.MULTILINE)
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in text.splitlines())


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_rooms(service: str) -> None:
    package = ROOT / "services" / service / "src" / service
    missing = [
        name
        for name in ("__main__.py", "settings.py", "app.py", "wiring.py", "events.py", "consumers.py")
        if not (package / name).is_file()
    ]
    assert not missing


def test_the_tree_speaks_of_the_product_alone() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    address = re.compile(  # the rule itself and the linter's settings name what they forbid
        r"https?://[^\s\"'<>)]*(pypi\.org|pythonhosted|registry\.npmjs|repo1?\.maven|proxy\.golang)|/work/main|/root/"
    )
    unfinished = re.compile(r"\b(TODO|FIXME|XXX)\b")
    faults = []
    for name in listed:
        file = ROOT / name
        if (
            not file.is_file()
            or file.suffix in {".js", ".css", ".xsd", ".lock"}
            or name in {"pyproject.toml", "tests/architecture/test_rules.py"}
        ):
            continue
        try:
            text = file.read_text()
        except UnicodeDecodeError:
            continue
        faults += [f"{name}: {m.group()}" for m in [*address.finditer(text), *unfinished.finditer(text)]]
    found("no address of a registry, no path of a machine, nothing left undone", faults)
