"""What the ledger does by the clock: end what is overdue, and check its own books at night."""

from datetime import timedelta

import structlog

from medici.domain.ledger.audit import audit
from medici.domain.ledger.service import expiry, wallets
from medici.domain.ledger.service.expiry import BATCH
from medici.domain.ledger.work import AUDIT, EXPIRE_GRANTS, EXPIRE_HOLDS
from medici.jobs.handlers import handles
from medici.jobs.run import Run
from medici.jobs.schedules import Daily, Schedule
from medici.resources import Resources

HOLDS_SCHEDULE = Schedule(kind=EXPIRE_HOLDS, every=timedelta(minutes=5))
GRANTS_SCHEDULE = Schedule(kind=EXPIRE_GRANTS, every=timedelta(hours=1))
AUDIT_SCHEDULE = Schedule(kind=AUDIT, every=Daily(hour=3, minute=20))


@handles(EXPIRE_HOLDS)
async def expire_holds(run: Run[Resources]) -> None:
    """End every hold whose time is over, some wallets at a time."""
    ended = BATCH
    while ended == BATCH:
        async with run.transaction() as session:
            ended = await expiry.expire_overdue_holds(session, now=run.now(), limit=BATCH)


@handles(EXPIRE_GRANTS)
async def expire_grants(run: Run[Resources]) -> None:
    """Settle every wallet with grants that are due, some wallets at a time."""
    settled = BATCH
    while settled == BATCH:
        async with run.transaction() as session:
            settled = await expiry.expire_due_grants(session, now=run.now(), limit=BATCH)


@handles(AUDIT)
async def audit_books(run: Run[Resources]) -> None:
    """Check the whole ledger; tell what does not balance, and park the wallets concerned."""
    async with run.resources.database.reading() as session:
        findings = await audit(session)
    log = structlog.get_logger("medici.ledger")
    for finding in findings:
        log.error(
            "ledger.unbalanced",
            invariant=finding.invariant,
            wallet_id=str(finding.wallet_id),
            detail=finding.detail,
        )
    async with run.transaction() as session:
        for wallet_id in sorted({f.wallet_id for f in findings if f.wallet_id is not None}):
            await wallets.park_wallet(session, wallet_id=wallet_id, now=run.now())
