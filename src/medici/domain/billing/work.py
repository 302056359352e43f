"""Billing's background work."""

from medici.jobs.kinds import JobKind

EXPIRE_TRIALS = JobKind(name="entitlements.expire_trials", timeout_seconds=600)
REDERIVE_PLAN = JobKind(name="billing.rederive_plan", timeout_seconds=3600)
RECONCILE = JobKind(name="billing.reconcile", timeout_seconds=3600)
FETCH_PURCHASE = JobKind(name="billing.fetch_purchase", attempts=8, timeout_seconds=60)
REPORT_USE = JobKind(name="billing.report_use", attempts=8, timeout_seconds=60)
ACKNOWLEDGE = JobKind(name="billing.acknowledge", attempts=20, timeout_seconds=60)
