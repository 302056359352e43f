"""The inbox's background work."""

from medici.jobs.kinds import JobKind

RESEAL = JobKind(name="inbox.reseal", timeout_seconds=3600)
