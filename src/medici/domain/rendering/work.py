"""The background work of a render."""

from medici.jobs.kinds import JobKind, Queue

DISPATCH = JobKind(name="rendering.dispatch", queue=Queue.IMAGE, attempts=3, timeout_seconds=420)
POLL = JobKind(name="rendering.poll", queue=Queue.POLLING, attempts=6, timeout_seconds=180)
SWEEP = JobKind(name="rendering.sweep", queue=Queue.POLLING, attempts=3)
CANCEL_UPSTREAM = JobKind(
    name="rendering.cancel_upstream", queue=Queue.POLLING, attempts=4, timeout_seconds=60
)
