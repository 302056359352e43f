"""Each day's credits come once, to whoever comes first."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing.models import EntitlementStatus, ResetScheduleRow
from medici.domain.billing.rules import Entitlement
from medici.domain.billing.service.allowances import ensure_allowance
from medici.domain.billing.service.entitlements import set_entitlement
from medici.domain.identity.owner import Owner, OwnerKind
from medici.domain.ledger.models import Grant, GrantSource, Wallet
from medici.domain.ledger.queries import wallet_by_owner
from medici.domain.ledger.service.consume import consume
from medici.domain.ledger.service.grants import issue_grant
from medici.domain.ledger.service.wallets import open_wallet, park_wallet
from medici.domain.ledger.values import GrantTerms, Memo
from medici.domain.plans.models import Plan
from medici.domain.plans.service import install_defaults
from medici.kernel.db.database import Database

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
ADA = Owner.user("ada")
PRO = Entitlement(plan_id="pro", status=EntitlementStatus.ACTIVE)
SPENT = Memo(actor="ada", reason="render_preview")


@pytest.fixture
async def sold(session: AsyncSession) -> AsyncSession:
    """A deployment with its default plans."""
    await install_defaults(session, now=NOON)
    return session


async def wallet_of(session: AsyncSession, owner: Owner = ADA) -> Wallet:
    wallet = await wallet_by_owner(session, owner=owner)
    assert wallet is not None
    return wallet


async def available(session: AsyncSession, owner: Owner = ADA) -> int:
    return (await wallet_of(session, owner)).available


async def spend(session: AsyncSession, amount: int, *, now: datetime = NOON) -> None:
    wallet = await wallet_of(session)
    await consume(session, wallet_id=wallet.id, amount=amount, memo=SPENT, now=now)


async def daily_grants(session: AsyncSession) -> dict[str, int]:
    rows = await session.execute(
        select(Grant.source_ref, Grant.amount).where(Grant.source == GrantSource.PLAN_DAILY)
    )
    return {row.source_ref: row.amount for row in rows}


async def reset_at(session: AsyncSession, hour: int, *, enabled: bool = True) -> None:
    row = ResetScheduleRow(id=1, enabled=enabled, reset_hour_utc=hour, reset_minute_utc=0)
    await session.merge(row)
    await session.flush()


class TestEnsureAllowance:
    async def test_gives_a_newcomer_the_free_plan_s_day(self, sold: AsyncSession) -> None:
        assert await ensure_allowance(sold, owner=ADA, now=NOON) == 3

        grant = (await sold.scalars(select(Grant))).one()
        assert (grant.source, grant.source_ref) == (GrantSource.PLAN_DAILY, "2026-11-24")
        assert (grant.amount, grant.expires_at) == (3, MIDNIGHT)
        assert await available(sold) == 3

    async def test_gives_a_day_once(self, sold: AsyncSession) -> None:
        await ensure_allowance(sold, owner=ADA, now=NOON)
        await spend(sold, 3)

        again = await ensure_allowance(sold, owner=ADA, now=MIDNIGHT - timedelta(seconds=1))

        assert again == 0
        assert await available(sold) == 0

    async def test_a_new_day_replaces_the_old_and_spares_what_was_bought(
        self, sold: AsyncSession
    ) -> None:
        await ensure_allowance(sold, owner=ADA, now=NOON)
        bought = GrantTerms(source=GrantSource.PACK, source_ref="order-1", amount=100)
        memo = Memo(actor="system", reason="pack")
        wallet = await wallet_of(sold)
        await issue_grant(sold, wallet_id=wallet.id, terms=bought, memo=memo, now=NOON)
        await spend(sold, 1)

        assert await ensure_allowance(sold, owner=ADA, now=MIDNIGHT) == 3

        assert await available(sold) == 103
        assert await daily_grants(sold) == {"2026-11-24": 3, "2026-11-25": 3}

    async def test_days_that_nobody_touched_are_not_paid_back(self, sold: AsyncSession) -> None:
        await ensure_allowance(sold, owner=ADA, now=NOON)

        assert await ensure_allowance(sold, owner=ADA, now=NOON + timedelta(days=9)) == 3

        assert await available(sold) == 3

    async def test_an_upgrade_adds_the_difference_once(self, sold: AsyncSession) -> None:
        await ensure_allowance(sold, owner=ADA, now=NOON)
        await spend(sold, 2)

        await set_entitlement(sold, owner=ADA, entitlement=PRO, now=NOON)
        again = await ensure_allowance(sold, owner=ADA, now=NOON)

        assert again == 0
        assert await available(sold) == 78
        assert await daily_grants(sold) == {"2026-11-24": 3, "2026-11-24:pro": 77}

    async def test_a_raised_plan_adds_the_difference_once(self, sold: AsyncSession) -> None:
        await ensure_allowance(sold, owner=ADA, now=NOON)
        given = []
        for daily_credits in (5, 9):
            await sold.execute(
                update(Plan).where(Plan.plan_id == "free").values(daily_credits=daily_credits)
            )
            given.append(await ensure_allowance(sold, owner=ADA, now=NOON))

        assert given == [2, 0]

    async def test_a_downgrade_takes_nothing_away(self, sold: AsyncSession) -> None:
        await set_entitlement(sold, owner=ADA, entitlement=PRO, now=NOON)

        await set_entitlement(sold, owner=ADA, entitlement=Entitlement(), now=NOON)

        assert await available(sold) == 80
        assert await ensure_allowance(sold, owner=ADA, now=MIDNIGHT) == 3
        assert await available(sold) == 3

    async def test_up_and_down_and_up_again_adds_nothing_more(self, sold: AsyncSession) -> None:
        await ensure_allowance(sold, owner=ADA, now=NOON)
        for entitlement in (PRO, Entitlement(), PRO):
            await set_entitlement(sold, owner=ADA, entitlement=entitlement, now=NOON)

        assert await available(sold) == 80

    async def test_a_switched_off_schedule_gives_nothing(self, sold: AsyncSession) -> None:
        await reset_at(sold, 0, enabled=False)

        assert await ensure_allowance(sold, owner=ADA, now=NOON) == 0
        assert await wallet_by_owner(sold, owner=ADA) is None

    async def test_a_plan_without_daily_credits_gives_nothing(self, sold: AsyncSession) -> None:
        await sold.execute(update(Plan).values(daily_credits=0))

        assert await ensure_allowance(sold, owner=ADA, now=NOON) == 0

    async def test_the_day_turns_when_the_schedule_says(self, sold: AsyncSession) -> None:
        await reset_at(sold, 18)

        given = [
            await ensure_allowance(sold, owner=ADA, now=NOON + timedelta(hours=hours))
            for hours in (0, 5, 6)
        ]

        assert given == [3, 0, 3]
        assert await daily_grants(sold) == {"2026-11-23": 3, "2026-11-24": 3}

    @pytest.mark.parametrize("moved_to", [1, 11, 13, 23])
    async def test_moving_the_reset_gives_no_date_twice(
        self, sold: AsyncSession, moved_to: int
    ) -> None:
        await ensure_allowance(sold, owner=ADA, now=NOON)
        await reset_at(sold, moved_to)

        given = [
            await ensure_allowance(sold, owner=ADA, now=NOON + timedelta(hours=hours))
            for hours in range(48)
        ]

        assert sum(given) == 3 * (len(await daily_grants(sold)) - 1)
        assert set(await daily_grants(sold)) <= {"2026-11-24", "2026-11-25", "2026-11-26"}
        assert given[0] == 0  # the reset moved, the day did not begin again

    async def test_owners_of_every_kind_are_told_apart(self, sold: AsyncSession) -> None:
        shop = Owner(kind=OwnerKind.SHOP, id="ada")
        await ensure_allowance(sold, owner=ADA, now=NOON)
        await ensure_allowance(sold, owner=shop, now=NOON)

        assert (await available(sold), await available(sold, shop)) == (3, 3)

    async def test_a_parked_wallet_is_left_alone(self, sold: AsyncSession) -> None:
        wallet_id = await open_wallet(sold, owner=ADA, now=NOON)
        await park_wallet(sold, wallet_id=wallet_id, now=NOON)

        assert await ensure_allowance(sold, owner=ADA, now=NOON) == 0
        assert await available(sold) == 0

    async def test_twenty_at_once_give_one(self, database: Database) -> None:
        async with database.transaction() as session:
            await install_defaults(session, now=NOON)

        async def touch() -> int:
            async with database.transaction() as session:
                return await ensure_allowance(session, owner=ADA, now=NOON)

        given = await asyncio.gather(*(touch() for _ in range(20)))

        assert sorted(given) == [0] * 19 + [3]
        async with database.reading() as session:
            assert await daily_grants(session) == {"2026-11-24": 3}
            assert await available(session) == 3

    async def test_an_upgrade_amid_twenty_touches_ends_with_the_better_plan(
        self, database: Database
    ) -> None:
        async with database.transaction() as session:
            await install_defaults(session, now=NOON)

        async def touch() -> None:
            async with database.transaction() as session:
                await ensure_allowance(session, owner=ADA, now=NOON)

        async def upgrade() -> None:
            async with database.transaction() as session:
                await set_entitlement(session, owner=ADA, entitlement=PRO, now=NOON)

        await asyncio.gather(
            *(touch() for _ in range(10)), upgrade(), *(touch() for _ in range(10))
        )

        async with database.reading() as session:
            assert await available(session) == 80
