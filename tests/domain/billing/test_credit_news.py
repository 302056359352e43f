"""What is told of credits: once each, and nothing of what everybody gets every day."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing.credit_news import sweeps as credit_news
from medici.domain.billing.credit_news import tasks as credit_news_tasks
from medici.domain.billing.credit_news.sweeps import CREDITS_LOW_THRESHOLD
from medici.domain.billing.credit_news.telling import CHUNK
from medici.domain.billing.resets.models import CreditNews, CreditNewsPlace
from medici.domain.billing.resets.work import TELL_EXPIRING, TELL_NEWS
from medici.domain.billing.service.allowances import ensure_allowance
from medici.domain.events.models import Event
from medici.domain.identity.owner import Owner, OwnerKind
from medici.domain.ledger.models import GrantSource
from medici.domain.ledger.service.consume import consume
from medici.domain.ledger.service.expiry import settle_wallet
from medici.domain.ledger.service.grants import issue_grant
from medici.domain.ledger.service.holds import place_hold
from medici.domain.ledger.service.wallets import open_wallet
from medici.domain.ledger.values import GrantTerms, Memo, Reference
from medici.domain.notices.models import WebhookEndpoint, WebhookNotice
from medici.domain.plans.models import Variable
from medici.domain.plans.service import install_defaults
from medici.jobs.handlers import Registry
from medici.jobs.inline import run_due
from medici.jobs.kinds import JobKind
from medici.jobs.queue import enqueue
from medici.kernel.db.database import Database
from medici.kernel.ids import new_id

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ADA = Owner.user("ada")
MEMO = Memo(actor="test", reason="a test")
REGISTRY = Registry.of(credit_news_tasks)


@dataclass(frozen=True)
class Opened:
    """As much of a process's resources as telling asks for."""

    database: Database


class Teller:
    """Does things to wallets, and hears what is told of them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOON

    async def gives(
        self,
        amount: int,
        source: GrantSource = GrantSource.ADMIN,
        *,
        owner: Owner = ADA,
        ends_in: timedelta | None = None,
    ) -> None:
        async with self.database.transaction() as session:
            await self.gives_on(session, amount, source, owner=owner, ends_in=ends_in)

    async def gives_on(
        self,
        session: AsyncSession,
        amount: int,
        source: GrantSource = GrantSource.ADMIN,
        *,
        owner: Owner,
        ends_in: timedelta | None,
    ) -> None:
        terms = GrantTerms(
            source=source,
            source_ref=str(new_id()),
            amount=amount,
            expires_at=self.now + ends_in if ends_in else None,
        )
        wallet_id = await open_wallet(session, owner=owner, now=self.now)
        await issue_grant(session, wallet_id=wallet_id, terms=terms, memo=MEMO, now=self.now)

    async def spends(self, amount: int) -> None:
        async with self.database.transaction() as session:
            wallet_id = await open_wallet(session, owner=ADA, now=self.now)
            await consume(session, wallet_id=wallet_id, amount=amount, memo=MEMO, now=self.now)

    async def holds(self, amount: int) -> None:
        async with self.database.transaction() as session:
            wallet_id = await open_wallet(session, owner=ADA, now=self.now)
            await place_hold(
                session,
                wallet_id=wallet_id,
                amount=amount,
                reference=Reference(kind="render_job", id=str(new_id())),
                expires_at=self.now + DAY,
                memo=MEMO,
                now=self.now,
            )

    async def lets_time_pass(self, by: timedelta) -> None:
        self.now += by
        async with self.database.transaction() as session:
            wallet_id = await open_wallet(session, owner=ADA, now=self.now)
            await settle_wallet(session, wallet_id=wallet_id, now=self.now)

    async def looks(self, kind: JobKind = TELL_NEWS) -> None:
        async with self.database.transaction() as session:
            await enqueue(session, kind, now=self.now, args={})
        await run_due(self.database, REGISTRY, Opened(self.database), self.now)

    async def told(self) -> list[tuple[str, dict[str, Any]]]:
        """Look, and return the type and data of everything told so far."""
        await self.looks()
        async with self.database.reading() as session:
            rows = await session.scalars(select(WebhookNotice).order_by(WebhookNotice.id))
            return [(row.type, orjson.loads(row.body)["data"]) for row in rows]

    async def types(self) -> list[str]:
        return [kind for kind, _ in await self.told()]

    async def facts(self) -> list[tuple[str, str | None, int | None]]:
        async with self.database.reading() as session:
            rows = await session.scalars(select(Event).order_by(Event.id))
            return [(row.name, row.user_id, row.credits) for row in rows]


@pytest.fixture
async def teller(database: Database) -> Teller:
    """A deployment with default plans and somebody who listens to everything."""
    async with database.transaction() as session:
        await install_defaults(session, now=NOON)
        session.add(
            WebhookEndpoint(
                id=new_id(),
                url="https://example.com/hook",
                types=None,
                description="",
                secret="sealed",
                secret_last4="aled",
                created_at=NOON,
                updated_at=NOON,
            )
        )
    return Teller(database)


class TestGranted:
    async def test_is_told_once_with_what_there_is_now(self, teller: Teller) -> None:
        await teller.gives(5, GrantSource.PACK)

        told = await teller.told()

        ((kind, data),) = told
        assert kind == "credits.granted"
        assert (data["owner_kind"], data["owner_id"], data["balance"]) == ("user", "ada", 5)
        assert (data["source"], data["amount"], data["expires_at"]) == ("pack", 5, None)
        assert await teller.told() == told

    async def test_is_no_news_for_the_daily_allowance(self, teller: Teller) -> None:
        async with teller.database.transaction() as session:
            await ensure_allowance(session, owner=ADA, now=NOON)

        assert await teller.told() == []

    async def test_is_told_of_every_kind_of_owner(self, teller: Teller) -> None:
        await teller.gives(5, owner=Owner(kind=OwnerKind.SHOP, id="mill"))

        ((_, data),) = await teller.told()
        assert (data["owner_kind"], data["owner_id"]) == ("shop", "mill")


class TestLow:
    async def test_is_told_when_a_spend_crosses_the_line(self, teller: Teller) -> None:
        await teller.gives(5)
        await teller.spends(3)
        before = await teller.types()
        await teller.spends(1)

        *_, (kind, data) = await teller.told()

        assert before == ["credits.granted"]
        assert kind == "credits.low"
        assert (data["balance"], data["threshold"], data["spent"]) == (1, 2, 1)
        assert await teller.facts() == [("credits_low", "ada", 1)]

    async def test_is_told_when_a_hold_crosses_it(self, teller: Teller) -> None:
        await teller.gives(5)
        await teller.holds(4)

        assert await teller.types() == ["credits.granted", "credits.low"]

    async def test_is_told_once_a_day(self, teller: Teller) -> None:
        await teller.gives(3)
        await teller.spends(2)
        await teller.gives(3)
        await teller.spends(3)
        first = (await teller.types()).count("credits.low")
        await teller.gives(3)
        await teller.lets_time_pass(DAY)
        await teller.spends(3)

        assert (first, (await teller.types()).count("credits.low")) == (1, 2)

    async def test_is_not_told_again_below_the_line(self, teller: Teller) -> None:
        await teller.gives(1)
        await teller.spends(1)

        assert await teller.types() == ["credits.granted"]

    @pytest.mark.parametrize(("threshold", "expected"), [(0, 0), (3, 0), (4, 1), (10, 1)])
    async def test_follows_the_variable(
        self, teller: Teller, threshold: int, expected: int
    ) -> None:
        async with teller.database.transaction() as session:
            key = CREDITS_LOW_THRESHOLD.key
            await session.merge(Variable(key=key, value=threshold, updated_at=NOON))
        await teller.gives(10)
        await teller.spends(7)

        assert (await teller.types()).count("credits.low") == expected


class TestExpiring:
    async def test_is_told_once_three_days_ahead(self, teller: Teller) -> None:
        await teller.gives(5, GrantSource.PROMO, ends_in=timedelta(days=4))
        await teller.spends(2)
        await teller.looks(TELL_EXPIRING)
        early = await teller.types()
        teller.now += DAY
        await teller.looks(TELL_EXPIRING)
        await teller.looks(TELL_EXPIRING)

        told = [data for kind, data in await teller.told() if kind == "credits.expiring"]

        assert "credits.expiring" not in early
        assert [(data["amount"], data["source"]) for data in told] == [(3, "promo")]
        assert told[0]["expires_at"] == "2026-11-28T12:00:00Z"
        assert ("credits_expiring", "ada", 3) in await teller.facts()

    async def test_passes_over_days_and_what_is_spent_or_lasts(self, teller: Teller) -> None:
        async with teller.database.transaction() as session:
            await ensure_allowance(session, owner=ADA, now=NOON)
        await teller.gives(2, GrantSource.PROMO, ends_in=DAY)
        await teller.spends(5)
        await teller.gives(5, GrantSource.PACK)

        await teller.looks(TELL_EXPIRING)

        assert "credits.expiring" not in await teller.types()

    async def test_goes_through_as_many_as_there_are(self, teller: Teller) -> None:
        many = CHUNK + 5
        async with teller.database.transaction() as session:
            for number in range(many):
                owner = Owner.user(f"user {number}")
                await teller.gives_on(session, 1, owner=owner, ends_in=DAY)

        await teller.looks(TELL_EXPIRING)

        assert (await teller.types()).count("credits.expiring") == many


class TestExpired:
    async def test_is_told_with_what_was_lost(self, teller: Teller) -> None:
        await teller.gives(5, GrantSource.PLAN_PERIOD, ends_in=DAY)
        await teller.spends(2)
        await teller.lets_time_pass(DAY)

        *_, (kind, data) = await teller.told()

        assert kind == "credits.expired"
        assert (data["amount"], data["source"], data["balance"]) == (3, "plan_period", 0)
        assert ("credits_expired", "ada", 3) in await teller.facts()

    async def test_is_no_news_for_the_daily_allowance(self, teller: Teller) -> None:
        async with teller.database.transaction() as session:
            await ensure_allowance(session, owner=ADA, now=NOON)
        await teller.lets_time_pass(DAY)

        assert await teller.told() == []


class TestLooking:
    async def test_at_an_empty_ledger_finds_nothing(self, teller: Teller) -> None:
        assert await teller.told() == []

    async def test_reaches_the_newest_transaction(self, teller: Teller) -> None:
        await teller.gives(5)
        await teller.looks()

        async with teller.database.reading() as session:
            span = await credit_news.next_span(session)
            place = await session.get_one(CreditNewsPlace, 1)
        assert span is not None
        assert span.last
        assert (span.newest, span.upto) == (place.transaction_id, place.transaction_id)
        assert span.after < place.transaction_id

    async def test_finds_what_came_in_late(self, teller: Teller) -> None:
        await teller.gives(5)
        async with teller.database.transaction() as session:
            await session.execute(update(CreditNewsPlace).values(transaction_id=new_id()))

        assert await teller.types() == ["credits.granted"]

    async def test_forgets_after_a_week(self, teller: Teller) -> None:
        await teller.gives(5)
        await teller.looks()
        teller.now += timedelta(days=8)
        await teller.looks(TELL_EXPIRING)

        async with teller.database.reading() as session:
            assert (await session.scalars(select(CreditNews.key))).all() == []

    async def test_tells_nobody_where_nobody_listens(self, teller: Teller) -> None:
        async with teller.database.transaction() as session:
            await session.execute(update(WebhookEndpoint).values(disabled_at=NOON))
        await teller.gives(5)
        await teller.spends(5)

        assert await teller.told() == []
        assert await teller.facts() == [("credits_low", "ada", 5)]
