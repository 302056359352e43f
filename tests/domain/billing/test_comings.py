"""What the figures hear of purchases that begin, end and come back."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import Buyer, PurchaseState, StoreNews
from medici.domain.billing.service.sweep import end_entitlements
from medici.domain.events.models import Event
from tests.domain.billing.books import POLICY, show, take
from tests.domain.billing.histories import DAY, Line

LINE, NOBODY_S = Line(), Line(buyer=Buyer())
BEGAN, ENDED, BACK = "subscription_activated", "subscription_ended", "subscription_reactivated"
A_MINUTE = timedelta(minutes=1)


async def heard(session: AsyncSession) -> list[str]:
    """Return what was told of purchases that come and go, as it was told."""
    names = await session.scalars(
        select(Event.name).where(Event.name.in_((BEGAN, ENDED, BACK))).order_by(Event.id)
    )
    return list(names)


async def take_in_time(session: AsyncSession, *history: StoreNews) -> None:
    """Take each message at the moment at which it was sent."""
    for news in history:
        await take(session, news, now=news.event_time)


async def swept(session: AsyncSession, now: datetime) -> None:
    await end_entitlements(session, policy=POLICY, now=now)


def after(number: int, late: timedelta) -> datetime:
    return LINE.period(number)[1] + late


class TestComingAndGoing:
    async def test_a_first_period_is_a_beginning_and_the_next_is_nothing(
        self, shop: AsyncSession
    ) -> None:
        await take_in_time(shop, LINE.paid(0), LINE.paid(1))

        assert await heard(shop) == [BEGAN]

    async def test_what_runs_again_after_its_end_has_come_back(self, shop: AsyncSession) -> None:
        again = LINE.paid(3)
        await take_in_time(shop, LINE.paid(0), LINE.expired(0), again)

        assert await heard(shop) == [BEGAN, ENDED, BACK]
        (fact,) = (await shop.scalars(select(Event).where(Event.name == BACK))).all()
        assert (fact.user_id, fact.platform, fact.plan_id) == ("ada", "ios", "pro")
        assert fact.occurred_at == again.event_time

    async def test_a_payment_that_was_recovered_has_come_back(self, shop: AsyncSession) -> None:
        history = (LINE.paid(0), LINE.grace(0), LINE.retrying(0), LINE.recovered(0))
        await take_in_time(shop, *history)

        assert await heard(shop) == [BEGAN, ENDED, BACK]

    async def test_what_paid_in_its_days_of_grace_was_never_gone(self, shop: AsyncSession) -> None:
        await take_in_time(shop, LINE.paid(0), LINE.grace(0), LINE.recovered(0))

        assert await heard(shop) == [BEGAN]

    async def test_what_never_ran_begins(self, shop: AsyncSession) -> None:
        pending = LINE.stands(0, PurchaseState.PENDING, LINE.start - DAY)
        await take_in_time(shop, pending, LINE.paid(0))

        assert await heard(shop) == [BEGAN]


class TestTheClock:
    """An end by the clock is told by whoever notices it first, and once."""

    async def test_a_renewal_that_is_a_little_late_is_nothing(self, shop: AsyncSession) -> None:
        await take_in_time(shop, LINE.paid(0))
        await take(shop, LINE.paid(1), now=after(0, A_MINUTE))

        assert await heard(shop) == [BEGAN]

    async def test_a_renewal_after_the_end_was_told_has_come_back(self, shop: AsyncSession) -> None:
        await take_in_time(shop, LINE.paid(0))
        await swept(shop, after(0, A_MINUTE))
        await take(shop, LINE.paid(1), now=after(0, 2 * A_MINUTE))

        assert await heard(shop) == [BEGAN, ENDED, BACK]

    async def test_an_end_is_told_by_the_store_or_by_the_sweep(self, shop: AsyncSession) -> None:
        await take_in_time(shop, LINE.paid(0))
        await take(shop, LINE.expired(0), now=after(0, A_MINUTE))
        await swept(shop, after(0, 2 * A_MINUTE))

        assert await heard(shop) == [BEGAN, ENDED]

    async def test_an_end_is_told_by_the_sweep_or_by_the_store(self, shop: AsyncSession) -> None:
        await take_in_time(shop, LINE.paid(0))
        await swept(shop, after(0, A_MINUTE))
        await take(shop, LINE.expired(0), now=after(0, 2 * A_MINUTE))

        assert await heard(shop) == [BEGAN, ENDED]

    async def test_old_periods_that_are_heard_of_late_never_began(self, shop: AsyncSession) -> None:
        history: Iterable[StoreNews] = (LINE.paid(0), LINE.paid(1), LINE.paid(2))
        for news in history:
            await take(shop, news, now=LINE.period(2)[0])

        assert await heard(shop) == [BEGAN]


class TestOwners:
    async def test_what_is_claimed_begins_with_its_owner(self, shop: AsyncSession) -> None:
        await take(shop, NOBODY_S.paid(2))
        before = await heard(shop)

        await show(shop, "ada", NOBODY_S.paid(2))

        assert (before, await heard(shop)) == ([], [BEGAN])

    async def test_what_goes_to_another_owner_goes_on(self, shop: AsyncSession) -> None:
        await show(shop, "ada", NOBODY_S.paid(2))
        await show(shop, "bob", NOBODY_S.paid(2))

        assert await heard(shop) == [BEGAN]

    async def test_what_nobody_owns_is_told_by_nobody(self, shop: AsyncSession) -> None:
        await take_in_time(shop, NOBODY_S.paid(0), NOBODY_S.expired(0), NOBODY_S.paid(3))

        assert await heard(shop) == []
