"""What payments do by themselves: an attempt without an answer in three working days is unknown, and somebody's task."""

from kit.auth.actor import Actor
from kit.runtime import Runtime
from kit.service import Job

from disbursement.payments import results


async def mark_overdue(runtime: Runtime) -> None:
    """Mark attempts without an answer, chunk by chunk, each in a transaction of its own."""
    while True:
        async with runtime.begin(Actor.system("unanswered-attempts")) as uow:
            if not await results.mark_overdue(uow):
                return


JOBS = (Job("unanswered-attempts", 300.0, mark_overdue),)
