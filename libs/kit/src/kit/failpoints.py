"""Named crash points: a process kills itself there when a test armed the name. Off unless `SANTUN_FAILPOINT` is set.

`SANTUN_FAILPOINT=relay.after_ack:3` kills the process (SIGKILL, no clean-up) the third time it passes that point.
The names stand in `POINTS`, so that a test can walk them all (performance.md D3).
"""

import os
import signal

POINTS = (
    "api.after_idempotency", "api.after_state", "api.after_outbox", "api.before_commit", "api.after_commit",
    "relay.after_read", "relay.after_some_sent", "relay.after_ack", "relay.after_cursor",
    "consumer.after_poll", "consumer.after_inbox", "consumer.after_effect", "consumer.before_commit",
    "consumer.after_commit", "consumer.after_offset",
    "import.after_staging", "import.after_rejects", "import.mid_insert", "import.before_commit",
    "run.after_reservation", "run.mid_create", "run.after_file", "run.before_sent", "run.result_staged",
    "run.mid_reconcile", "run.after_commit",
    "worker.after_claim", "worker.after_call",
    "sealer.after_read", "sealer.after_row",
)  # fmt: skip

_armed, _, _count = os.environ.get("SANTUN_FAILPOINT", "").partition(":")
_left = int(_count or "1")


def failpoint(name: str) -> None:
    """Die here if this point is armed and its count is reached; otherwise nothing."""
    if name != _armed:
        return
    global _left
    _left -= 1
    if _left <= 0:
        os.write(2, f'{{"event":"failpoint","point":"{name}"}}\n'.encode())  # how a test knows what it died of
        os.kill(os.getpid(), signal.SIGKILL)
