"""A deployment whose users come by, and the resets that give them their days."""

from collections import Counter
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from medici.domain.billing.resets import queries as resets_queries
from medici.domain.billing.resets import runs as resets
from medici.domain.billing.resets.models import ResetRun
from medici.domain.billing.resets.rules import Tally
from medici.domain.billing.service.allowances import ensure_allowance
from medici.domain.identity.owner import Owner
from medici.domain.identity.service import ensure_user
from medici.domain.ledger.audit import audit
from medici.domain.ledger.models import Grant, GrantSource, Wallet
from medici.domain.ledger.service.consume import consume
from medici.domain.ledger.service.wallets import open_wallet
from medici.domain.ledger.values import Memo
from medici.kernel.clock import Clock
from medici.kernel.db.database import Database

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
MEMO = Memo(actor="test", reason="a test")


async def users(database: Database, *names: str, now: datetime = NOON) -> None:
    """Let users come by, so that each has a wallet with the day's credits."""
    async with database.transaction() as session:
        for name in names:
            await ensure_user(session, user_id=name, now=now)
            await ensure_allowance(session, owner=Owner.user(name), now=now)


async def reset(
    database: Database, *, now: datetime, size: int = 2, dry_run: bool = False
) -> Tally:
    """Run a reset to its end and return what it counted."""
    async with database.transaction() as session:
        run_id = await resets.begin(session, actor="test", dry_run=dry_run, now=now)
    assert await resets.carry_on(database.transaction, run_id, clock=at(now), size=size)
    return tally_of(await stored(database, run_id))


def at(now: datetime) -> Clock:
    """Return a clock that stands still."""
    return lambda: now


async def stored(database: Database, run_id: UUID) -> ResetRun:
    async with database.reading() as session:
        return await resets_queries.run_by_id(session, run_id)


def tally_of(run: ResetRun) -> Tally:
    return Tally(
        users_processed=run.users_processed,
        balances_updated=run.balances_updated,
        credits_granted=run.credits_granted,
        skipped_disabled=run.skipped_disabled,
        skipped_parked=run.skipped_parked,
    )


async def balances(database: Database) -> dict[str, int]:
    async with database.reading() as session:
        rows = await session.execute(select(Wallet.owner_id, Wallet.available))
        return {row.owner_id: row.available for row in rows}


async def grants_of(database: Database, day: str) -> Counter[str]:
    """Count each user's allowances of a day."""
    async with database.reading() as session:
        rows = await session.scalars(
            select(Wallet.owner_id)
            .join(Grant, Grant.wallet_id == Wallet.id)
            .where(Grant.source == GrantSource.PLAN_DAILY, Grant.source_ref == day)
        )
        return Counter(rows.all())


async def spend(database: Database, user: str, amount: int, *, now: datetime = NOON) -> None:
    async with database.transaction() as session:
        wallet_id = await open_wallet(session, owner=Owner.user(user), now=now)
        await consume(session, wallet_id=wallet_id, amount=amount, memo=MEMO, now=now)


async def books_balance(database: Database) -> bool:
    async with database.reading() as session:
        return await audit(session) == []
