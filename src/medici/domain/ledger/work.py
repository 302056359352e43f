"""The ledger's background work."""

from medici.jobs.kinds import JobKind

EXPIRE_HOLDS = JobKind(name="ledger.expire_holds", timeout_seconds=600)
EXPIRE_GRANTS = JobKind(name="ledger.expire_grants", timeout_seconds=1800)
AUDIT = JobKind(name="ledger.audit", timeout_seconds=3600)
