from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger import queries
from medici.domain.ledger.audit import audit
from medici.domain.ledger.models import GrantSource, LedgerTransaction, Wallet
from medici.domain.ledger.service import expiry
from tests.domain.ledger.teller import HOUR, LATER, NOW, Teller


async def stored(teller: Teller) -> tuple[int, int]:
    wallet = await queries.locked_wallet(teller.session, teller.wallet_id)
    return wallet.available, wallet.held


class TestSettleWallet:
    async def test_books_what_ended_and_what_began(self, teller: Teller) -> None:
        await teller.grant(5, expires_at=NOW + HOUR)
        await teller.grant(2, effective_at=NOW + HOUR)

        await expiry.settle_wallet(teller.session, wallet_id=teller.wallet_id, now=NOW + HOUR)

        assert await stored(teller) == (2, 0)
        assert await audit(teller.session) == []

    async def test_writes_nothing_when_nothing_is_due(self, teller: Teller) -> None:
        await teller.grant(5, expires_at=NOW + HOUR)

        await expiry.settle_wallet(teller.session, wallet_id=teller.wallet_id, now=NOW)

        count = await teller.session.scalar(select(func.count()).select_from(LedgerTransaction))
        assert count == 1


class TestExpireDueGrants:
    async def test_settles_each_wallet_that_is_due(self, session: AsyncSession) -> None:
        tellers = [await Teller.of(session, name) for name in ("ada", "bob", "cleo")]
        for teller in tellers[:2]:
            await teller.grant(5, expires_at=NOW + HOUR)
            await teller.grant(1, source=GrantSource.PACK)
        await tellers[2].grant(4, expires_at=LATER)

        settled = [
            await expiry.expire_due_grants(session, now=NOW + HOUR, limit=1) for _ in range(3)
        ]

        assert settled == [1, 1, 0]
        assert [await stored(teller) for teller in tellers] == [(1, 0), (1, 0), (4, 0)]

    async def test_leaves_held_credits_to_their_hold(self, teller: Teller) -> None:
        await teller.grant(5, expires_at=NOW + HOUR)
        await teller.hold(5)

        assert await expiry.expire_due_grants(teller.session, now=NOW + HOUR) == 0
        assert await stored(teller) == (0, 5)

    async def test_parks_a_broken_wallet_and_goes_on(self, session: AsyncSession) -> None:
        ada, bob = await Teller.of(session), await Teller.of(session, "bob")
        for teller in (ada, bob):
            await teller.grant(5, expires_at=NOW + HOUR)
        wallet = await session.get_one(Wallet, ada.wallet_id)
        wallet.available = 1  # less than its grant has free
        await session.flush()

        first = await expiry.expire_due_grants(session, now=NOW + HOUR)
        second = await expiry.expire_due_grants(session, now=NOW + HOUR)

        assert (first, second) == (2, 0)
        assert (await stored(ada), await stored(bob)) == ((1, 0), (0, 0))
        parked = await queries.locked_wallet(session, ada.wallet_id)
        assert parked.parked_at == NOW + HOUR


class TestExpireOverdueHolds:
    async def test_ends_them_some_at_a_time(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=10)
        for _ in range(3):
            await teller.hold(2, expires_at=NOW + HOUR)
        await teller.hold(1, expires_at=LATER)

        ended = [
            await expiry.expire_overdue_holds(session, now=NOW + HOUR, limit=2) for _ in range(3)
        ]

        assert ended == [2, 1, 0]
        assert await stored(teller) == (9, 1)
        assert await audit(session) == []
