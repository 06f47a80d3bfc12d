"""The command line says what it can do, and refuses what it cannot before anything starts."""

import sys

import pytest
from kit.cli import PARTS, main
from sample_service import SAMPLE


@pytest.mark.parametrize(("words", "status"), [(["--help"], 0), (["run", "--help"], 0), (["run", "relay", "cook"], 2)])
def test_every_word_is_known_or_refused(
    words: list[str], status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["sample", *words])
    with pytest.raises(SystemExit) as ended:
        main(SAMPLE)
    assert ended.value.code == status
    said = capsys.readouterr()
    assert status == 0 or "cook" in said.err
    assert words != ["--help"] or all(part in said.out for part in (*PARTS, "all", "run"))
