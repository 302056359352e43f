"""The background work of experiments."""

from medici.jobs.kinds import JobKind

TICK = JobKind(name="experiments.automation_tick", timeout_seconds=60)
AUTOMATION = JobKind(name="experiments.automation", attempts=3, timeout_seconds=900)
