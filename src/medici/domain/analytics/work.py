"""The background work of analytics."""

from medici.jobs.kinds import JobKind

ROLLUP = JobKind(name="analytics.rollup_hourly", timeout_seconds=1800)
