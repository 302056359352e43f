"""The background work that learns from renders where to send the next ones."""

from medici.jobs.kinds import JobKind, Queue

MEASURE = JobKind(name="routing.measure_providers", queue=Queue.DEFAULT, attempts=3)
JUDGE_CANARY = JobKind(name="routing.judge_canary", queue=Queue.DEFAULT, attempts=3)
