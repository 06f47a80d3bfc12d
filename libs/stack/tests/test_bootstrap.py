"""The first step of every `make`: an environment that matches the lock, made once, and plain words when it cannot be."""

import shutil
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import pytest
from stack.places import ROOT


@pytest.fixture
def bootstrap(tmp_path, monkeypatch):
    loader = SourceFileLoader("bootstrap", str(ROOT / "bin" / "bootstrap"))
    module = module_from_spec(spec_from_loader("bootstrap", loader))
    loader.exec_module(module)
    for member in module.MEMBERS:
        (tmp_path / member).mkdir(parents=True)
        shutil.copy(ROOT / member / "pyproject.toml", tmp_path / member)
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    (tmp_path / ".venv").mkdir()
    monkeypatch.setattr(module, "ROOT", str(tmp_path))
    for name, path in (("VENV", ".venv"), ("STAMP", ".venv/.santun-stamp"), ("LOCK", "requirements.lock")):
        monkeypatch.setattr(module, name, str(tmp_path / path))
    module.made = []
    monkeypatch.setattr(module, "run", lambda what, *rest, **more: module.made.append(what))
    return module


def test_nothing_is_done_when_nothing_changed(bootstrap):
    bootstrap.main()
    assert bootstrap.made[-2:] == ["the libraries, each checked against its hash", "Santun itself"]
    bootstrap.made.clear()
    bootstrap.main()
    assert bootstrap.made == []


def test_a_changed_member_reinstalls_the_members_alone(bootstrap, tmp_path):
    bootstrap.main()
    bootstrap.made.clear()
    with (tmp_path / "libs/kit/pyproject.toml").open("a") as file:
        file.write("# changed\n")
    bootstrap.main()
    assert bootstrap.made == ["Santun itself"]


def test_a_half_made_environment_is_made_again(bootstrap, monkeypatch):
    def cut_off(what, *rest, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "run", cut_off)
    with pytest.raises(KeyboardInterrupt):
        bootstrap.main()
    assert bootstrap.stamped() == []
    monkeypatch.setattr(bootstrap, "run", lambda what, *rest, **more: bootstrap.made.append(what))
    bootstrap.main()
    assert "the libraries, each checked against its hash" in bootstrap.made


def test_the_installer_itself_is_pinned_with_hashes(bootstrap):
    lines = bootstrap.uv_requirement().splitlines()
    assert lines[0].startswith("uv==")
    assert sum("--hash=sha256:" in line for line in lines) > 5


def test_an_old_python_hears_what_to_do(bootstrap, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, "OLDEST", (4, 0))
    with pytest.raises(SystemExit):
        bootstrap.main()
    assert "needs Python 4.0 or newer" in capsys.readouterr().err


def test_a_full_disk_is_said_before_anything_is_made(bootstrap, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, "NEEDED_BYTES", 1 << 60)
    with pytest.raises(SystemExit):
        bootstrap.main()
    assert "Make some room" in capsys.readouterr().err
    assert bootstrap.made == []


def test_a_failing_step_shows_its_own_words(capsys):
    loader = SourceFileLoader("bootstrap", str(ROOT / "bin" / "bootstrap"))
    module = module_from_spec(spec_from_loader("bootstrap", loader))
    loader.exec_module(module)
    with pytest.raises(SystemExit):
        module.run("a step", [sys.executable, "-c", "print('no route to host'); raise SystemExit(1)"])
    out = capsys.readouterr()
    assert "no route to host" in out.out
    assert "Most often the network" in out.err


def test_make_help_names_what_can_be_done():
    done = subprocess.run(["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True)
    assert {"up", "down", "status", "story", "clean", "test", "check", "lock", "docs", "faults"} <= set(
        done.stdout.split()
    )
