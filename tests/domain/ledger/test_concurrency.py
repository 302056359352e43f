"""Many at once, each in a transaction of its own, on one wallet or on two."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random
from uuid import UUID

import pytest

from medici.domain.identity.owner import Owner
from medici.domain.ledger.audit import audit
from medici.domain.ledger.errors import HoldAlreadyResolved, InsufficientCredits
from medici.domain.ledger.models import GrantSource, PostingKind
from medici.domain.ledger.service import grants, wallets
from medici.domain.ledger.values import Posted
from medici.kernel.db.database import Database
from tests.domain.ledger.teller import HOUR, MEMO, NOW, Teller

Work = Callable[[Teller], Awaitable[Posted]]


async def open_for(database: Database, user: str, credits: int) -> UUID:
    async with database.transaction() as session:
        return (await Teller.of(session, user, credits=credits)).wallet_id


async def served(database: Database, wallet_id: UUID, work: Work) -> Posted:
    async with database.transaction() as session:
        return await work(Teller(session, wallet_id))


async def purse(database: Database, wallet_id: UUID) -> tuple[int, int]:
    async with database.reading() as session:
        assert await audit(session) == []
        return await Teller(session, wallet_id).purse()


class TestManyAtOnce:
    async def test_never_overdraw(self, database: Database) -> None:
        wallet_id = await open_for(database, "ada", 100)

        answers = await asyncio.gather(
            *(served(database, wallet_id, lambda t: t.consume(1)) for _ in range(200)),
            return_exceptions=True,
        )

        outcomes = Counter(type(answer) for answer in answers)
        assert outcomes == {Posted: 100, InsufficientCredits: 100}
        assert await purse(database, wallet_id) == (0, 0)

    async def test_open_one_wallet(self, database: Database) -> None:
        async def opened() -> UUID:
            async with database.transaction() as session:
                return await wallets.open_wallet(session, owner=Owner.user("ada"), now=NOW)

        assert len(set(await asyncio.gather(*(opened() for _ in range(20))))) == 1

    @pytest.mark.parametrize(
        ("work", "left"),
        [
            (lambda t: t.consume(3, key="k"), (7, 0)),
            (lambda t: t.hold(3, ref="a"), (7, 3)),
            (lambda t: t.grant(3, ref="spring"), (13, 0)),
            (lambda t: t.adjust(-3), (7, 0)),
        ],
        ids=["consume", "hold", "grant", "adjust"],
    )
    async def test_have_one_effect_and_one_answer_if_they_are_the_same(
        self, database: Database, work: Work, left: tuple[int, int]
    ) -> None:
        wallet_id = await open_for(database, "ada", 10)

        answers = await asyncio.gather(*(served(database, wallet_id, work) for _ in range(20)))

        assert sum(answer.applied for answer in answers) == 1
        assert len({(a.transaction_id, a.available, a.held, a.subject_id) for a in answers}) == 1
        assert await purse(database, wallet_id) == left

    async def test_end_a_hold_in_one_way(self, database: Database) -> None:
        wallet_id = await open_for(database, "ada", 10)
        held = await served(database, wallet_id, lambda t: t.hold(4))

        answers = await asyncio.gather(
            *(served(database, wallet_id, lambda t: t.capture(held.subject_id)) for _ in range(5)),
            *(served(database, wallet_id, lambda t: t.void(held.subject_id)) for _ in range(5)),
            return_exceptions=True,
        )

        assert Counter(type(a) for a in answers) == {Posted: 5, HoldAlreadyResolved: 5}
        assert sum(a.applied for a in answers if isinstance(a, Posted)) == 1
        assert await purse(database, wallet_id) in {(6, 0), (10, 0)}

    async def test_move_grants_both_ways_without_blocking_each_other(
        self, database: Database
    ) -> None:
        ada, bob = await open_for(database, "ada", 0), await open_for(database, "bob", 0)

        async def move(grant_id: UUID, to: UUID) -> None:
            async with database.transaction() as session:
                await grants.move_grant(
                    session, grant_id=grant_id, to_wallet_id=to, memo=MEMO, now=NOW
                )

        crossing = []
        for number in range(5):
            for source, target in ((ada, bob), (bob, ada)):
                given = await served(
                    database,
                    source,
                    lambda t, ref=f"{number}:{source}": t.grant(  # type: ignore[misc]
                        2, source=GrantSource.PLAN_PERIOD, ref=ref
                    ),
                )
                crossing.append(move(given.subject_id, target))
        await asyncio.gather(*crossing)

        assert [await purse(database, one) for one in (ada, bob)] == [(10, 0), (10, 0)]


class TestMixedTraffic:
    @pytest.mark.parametrize("seed", range(2))
    async def test_keeps_the_books(self, database: Database, seed: int) -> None:
        wallet_id = await open_for(database, "ada", 20)

        await asyncio.gather(
            *(traffic(database, wallet_id, Random(f"{seed}:{one}")) for one in range(8))
        )

        available, held = await purse(database, wallet_id)
        assert available >= 0
        assert held >= 0


async def traffic(database: Database, wallet_id: UUID, random: Random) -> None:
    """Do ten things at times that do not rise; each happens or is not covered."""
    pending: list[UUID] = []
    for step in range(10):
        async with database.transaction() as session:
            teller = Teller(session, wallet_id)
            teller.now = NOW + random.random() * step * HOUR
            try:
                posted = await anything(teller, random, pending)
            except InsufficientCredits:
                continue
        if posted.kind is PostingKind.HOLD:
            pending.append(posted.subject_id)


async def anything(teller: Teller, random: Random, pending: list[UUID]) -> Posted:
    amount = random.randint(1, 6)
    match random.randrange(5):
        case 0:
            ends = teller.now + random.randint(0, 3) * HOUR
            return await teller.grant(amount, source=GrantSource.PLAN_DAILY, expires_at=ends)
        case 1:
            return await teller.consume(amount)
        case 2 if pending:
            return await teller.capture(pending.pop())
        case 3 if pending:
            return await teller.void(pending.pop())
        case _:
            return await teller.hold(amount)
