"""The background work of resets, and of telling about credits."""

from medici.jobs.kinds import JobKind

TICK = JobKind(name="billing.reset_tick", timeout_seconds=120)
RUN = JobKind(name="billing.reset_run", timeout_seconds=3600)
TELL_NEWS = JobKind(name="billing.tell_credit_news", timeout_seconds=600)
TELL_EXPIRING = JobKind(name="billing.tell_expiring_credits", timeout_seconds=1800)
