"""The background work of pictures."""

from medici.jobs.kinds import JobKind

SWEEP = JobKind(name="pictures.sweep_uploads", attempts=3)
DISCARD = JobKind(name="pictures.discard")
