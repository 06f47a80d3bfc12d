"""`make bugs`: is the proof worth anything? Fifteen known bugs are put into a copy of the tree, one after the other.

For each the narrowest tests that must notice it are run there and have to fail; without the bugs the same tests have to
pass. Ten bugs are those that relays, inboxes and ledgers are known for, five are of this code.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stack import backends

ROOT = Path(__file__).resolve().parents[2]
PATCHES = Path(__file__).with_name("bugs")
FAILED = 1
"""What pytest answers when a test failed; anything else (no such test, a module that cannot be read) proves nothing."""
TESTS_WITHIN = 400.0
KIT = "libs/kit/tests"
MONEY = "services/disbursement/tests/component/money"


@dataclass(frozen=True, slots=True)
class Bug:
    """A patch of `bugs/` and the tests that must notice it."""

    name: str
    tests: tuple[str, ...]

    @property
    def patch(self) -> Path:
        """The file."""
        return PATCHES / f"{self.name}.patch"


BUGS = (
    Bug("01_naive_cursor", (f"{KIT}/test_delivery.py::test_concurrent_writers_lose_nothing_and_reorder_nothing",)),
    Bug("02_order_by_transaction", (f"{KIT}/test_relay_traps.py::test_who_began_first_and_wrote_last_is_told_last",)),
    Bug("03_full_batch_ignored", (f"{KIT}/test_relay_traps.py::test_more_than_one_batch_holds_is_told_whole",)),
    Bug("04_offset_before_database", (f"{KIT}/test_crashes.py::test_a_consumer_killed_anywhere_loses_and_doubles_nothing[consumer.after_effect]",)),
    Bug("05_inbox_in_its_own_transaction", (f"{KIT}/test_crashes.py::test_a_consumer_killed_anywhere_loses_and_doubles_nothing[consumer.after_effect]",)),
    Bug("06_a_right_in_two_lines", (f"{MONEY}/test_volumes_and_races.py::test_two_lists_frozen_at_one_moment_share_no_right",)),
    Bug("07_unsorted_inbox", (f"{KIT}/test_relay_traps.py::test_readers_that_take_in_the_same_events_crosswise_do_not_block_each_other",)),
    Bug("08_partial_file_swallowed", ("services/disbursement/tests/unit/money",)),
    Bug("09_command_tried_again_without_its_key", (f"{KIT}/test_client.py::test_reads_are_tried_again_and_commands_never",)),
    Bug("10_ceiling_without_its_guard", (f"{MONEY}/test_volumes_and_races.py::test_the_ceiling_holds_when_many_promise_at_once",)),
    Bug("11_approval_of_another_list", (f"{MONEY}/test_approved_list.py",)),
    Bug("12_route_without_its_region", ("services/registry/tests/component/test_persons.py::test_a_desk_sees_only_its_own_region",)),
    Bug("13_reject_counted_as_accepted", (f"{MONEY}/test_bank_answers.py::test_a_file_refused_as_a_whole_comes_back_as_a_whole",)),
    Bug("14_return_that_does_not_post", ("services/disbursement/tests/unit/money",)),
    Bug("15_announced_before_it_was_saved", ("tests/architecture/test_order_of_writes.py",)),
)  # fmt: skip


class Copy:
    """The tracked files of the tree as they are now, in a folder of their own; nothing of it is compiled or kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in listed.split("\0"):
            if name and (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)

    def patch(self, file: Path, *, undo: bool = False) -> None:
        """Put a bug in or take it out again. Raises CalledProcessError when the code has moved away from the patch."""
        how = ["git", "apply", "-C1", "--recount", *(["-R"] if undo else []), str(file)]
        outside = os.environ | {"GIT_CEILING_DIRECTORIES": str(self.folder.parent)}
        subprocess.run(how, cwd=self.folder, check=True, env=outside, capture_output=True, text=True)

    def test(self, tests: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run these tests against the copy's own code."""
        sources = [str(path) for path in (*self.folder.glob("libs/*/src"), *self.folder.glob("services/*/src"))]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sources), "PYTHONDONTWRITEBYTECODE": "1"}
        argv = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider", *tests]
        return subprocess.run(
            argv, cwd=self.folder, env=environment, check=False, capture_output=True, text=True, timeout=TESTS_WITHIN
        )


def caught(copy: Copy, bug: Bug) -> str:
    """Empty when a test noticed the bug; else what happened instead."""
    try:
        copy.patch(bug.patch)
    except subprocess.CalledProcessError as moved:
        return f"the patch does not fit any more: {moved.stderr.strip()}"
    try:
        done = copy.test(bug.tests)
    finally:
        copy.patch(bug.patch, undo=True)
    return "" if done.returncode == FAILED else f"pytest ended with {done.returncode}:\n{done.stdout[-1_500:]}"


def main() -> None:
    """Try every bug, or those whose name holds a given word; exit status 1 when one went unnoticed."""
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    bugs = [bug for bug in BUGS if word in bug.name]
    if not bugs:
        sys.exit(f"no bug is called like {word!r}")
    missed = []
    run = backends.begin()
    try:
        with tempfile.TemporaryDirectory(prefix="bugs-") as folder:
            copy = Copy(Path(folder))
            sound = copy.test(sorted({test for bug in bugs for test in bug.tests}))
            if sound.returncode:
                sys.exit(f"the tests fail without any bug:\n{sound.stdout[-3_000:]}")
            for bug in bugs:
                why = caught(copy, bug)
                missed += [bug.name] if why else []
                _say(f"{'MISSED' if why else 'caught'}  {bug.name}" + (f"\n        {why}" if why else ""))
    finally:
        if run is not None:
            backends.end(run)
    _say(f"{len(bugs) - len(missed)} of {len(bugs)} caught")
    sys.exit(1 if missed else 0)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
