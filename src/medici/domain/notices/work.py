"""The background work of notices."""

from medici.jobs.kinds import JobKind

# Tries at a receiver are counted by the delivery; these are for when our own side fails.
DELIVER = JobKind(name="notices.deliver", attempts=20, timeout_seconds=60)
SWEEP = JobKind(name="notices.sweep", attempts=3, timeout_seconds=600)
