"""The background work of identity."""

from medici.jobs.kinds import JobKind

SWEEP = JobKind(name="identity.sweep_tokens", attempts=3)
