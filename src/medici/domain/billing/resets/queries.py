"""Reading resets, and the users that one goes through."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Integer, Select, Text, bindparam, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing import queries
from medici.domain.billing.models import EntitlementRow
from medici.domain.billing.queries import EffectivePlan
from medici.domain.billing.resets.errors import ResetRunNotFound
from medici.domain.billing.resets.models import ResetRun, RunState
from medici.domain.identity.models import User
from medici.domain.identity.owner import OwnerKind
from medici.domain.ledger.models import Wallet
from medici.kernel.db.driver.query import Query, any_of
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.environment import Environment

CREDITS = (
    Wallet.owner_kind == OwnerKind.USER,
    Wallet.environment == Environment.PRODUCTION,
    Wallet.asset == "credit",
)
WALLETS = Query(
    select(Wallet.owner_id, Wallet.id, Wallet.parked_at).where(
        *CREDITS, any_of(Wallet.owner_id, "owners")
    )
)
DISABLED = Query(select(User.id).where(any_of(User.id, "users"), User.disabled_at.is_not(None)))


def _next_owners() -> Select[str]:
    """Select the next users with a wallet or an entitlement, each half by an index of its own."""
    after, size = bindparam("after", type_=Text), bindparam("size", type_=Integer)
    with_wallet = select(Wallet.owner_id).where(*CREDITS, Wallet.owner_id > after)
    entitled = select(EntitlementRow.owner_id).where(
        EntitlementRow.owner_kind == OwnerKind.USER, EntitlementRow.owner_id > after
    )
    halves = [
        select(half.order_by(half.selected_columns.owner_id).limit(size).subquery().c.owner_id)
        for half in (with_wallet, entitled)
    ]
    both = union(*halves).subquery()
    return select(both.c.owner_id).order_by(both.c.owner_id).limit(size)


NEXT_OWNERS = _next_owners()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a user stands at a reset; ``given`` is what the window has had already."""

    plan: EffectivePlan
    given: dict[str, int]
    disabled: bool
    parked: bool


async def owners_after(session: AsyncSession, owner_id: str, *, limit: int) -> Sequence[str]:
    """Return the users that a reset looks at next."""
    rows = await session.scalars(NEXT_OWNERS, {"after": owner_id, "size": limit})
    return rows.all()


async def standings(
    driver: Driver, owner_ids: Collection[str], *, day: date, now: datetime
) -> dict[str, Standing]:
    """Return how each of these users stands, without locking anybody."""
    kind = OwnerKind.USER
    plans = await queries.effective_plans(driver, kind=kind, owner_ids=owner_ids, now=now)
    wallets = {row.owner_id: row for row in await WALLETS.rows(driver, owners=owner_ids)}
    disabled = {row.id for row in await DISABLED.rows(driver, users=owner_ids)}
    wallet_ids = [wallet.id for wallet in wallets.values()]
    given = await queries.allowances_of_many(driver, wallet_ids=wallet_ids, day=day)
    return {
        owner_id: Standing(
            plan=plans[owner_id],
            given=given[wallets[owner_id].id] if owner_id in wallets else {},
            disabled=owner_id in disabled,
            parked=owner_id in wallets and wallets[owner_id].parked_at is not None,
        )
        for owner_id in owner_ids
    }


async def run_by_id(session: AsyncSession, run_id: UUID) -> ResetRun:
    """Return one reset.

    Raises:
        ResetRunNotFound: there is none.
    """
    run = await session.get(ResetRun, run_id, populate_existing=True)
    if run is None:
        raise ResetRunNotFound(f"no reset {run_id}")
    return run


async def locked_run(session: AsyncSession, run_id: UUID) -> ResetRun:
    """Return a reset as it is now, locked until the transaction ends."""
    return await session.get_one(ResetRun, run_id, with_for_update=True, populate_existing=True)


async def run_under_way(session: AsyncSession, schedule_date: date) -> ResetRun | None:
    """Return the reset of a date that is not finished; dry runs are none."""
    run: ResetRun | None = await session.scalar(
        select(ResetRun).where(
            ResetRun.schedule_date == schedule_date.isoformat(),
            ResetRun.state == RunState.RUNNING,
            ResetRun.dry_run.is_(False),
        )
    )
    return run


async def unfinished_runs(session: AsyncSession) -> Sequence[UUID]:
    """Return every reset that somebody has to go on with."""
    rows = await session.scalars(select(ResetRun.id).where(ResetRun.state == RunState.RUNNING))
    return rows.all()


async def newest_date(session: AsyncSession) -> str | None:
    """Return the newest date whose reset was begun and not given up."""
    found: str | None = await session.scalar(
        select(ResetRun.schedule_date)
        .where(ResetRun.dry_run.is_(False), ResetRun.state != RunState.FAILED)
        .order_by(ResetRun.schedule_date.desc())
        .limit(1)
    )
    return found


async def last_run_at(session: AsyncSession) -> datetime | None:
    """Return when a reset last went through to its end."""
    found: datetime | None = await session.scalar(
        select(ResetRun.completed_at)
        .where(ResetRun.dry_run.is_(False), ResetRun.state == RunState.COMPLETED)
        .order_by(ResetRun.id.desc())
        .limit(1)
    )
    return found


async def runs(
    session: AsyncSession, *, limit: int, before: UUID | None = None
) -> Sequence[ResetRun]:
    """List resets, newest first, those older than ``before``."""
    listed = select(ResetRun).order_by(ResetRun.id.desc()).limit(limit)
    if before is not None:
        listed = listed.where(ResetRun.id < before)
    return (await session.scalars(listed)).all()
