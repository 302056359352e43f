"""Who comes, who goes and who comes back, from stores' messages to the figures."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import StoreNews
from medici.domain.analytics import queries
from medici.domain.analytics.spans import Window
from medici.domain.insights import subscriptions
from medici.domain.insights.subscriptions import SubscriptionReport
from medici.domain.insights.views import view
from tests.domain.billing.books import open_shop, take
from tests.domain.billing.histories import DAY, START, Line

ADA = Line(lineage_id="a", user_id="ada")
BOB = Line(lineage_id="b", user_id="bob")
CARL = Line(lineage_id="c", user_id="carl", start=START + 45 * DAY)


async def told(session: AsyncSession, *history: StoreNews) -> None:
    """Take each message at the moment at which it was sent."""
    for news in sorted(history, key=lambda each: each.event_time):
        await take(session, news, now=news.event_time)


async def reported(session: AsyncSession, since: datetime, until: datetime) -> SubscriptionReport:
    window = Window(since=since, until=until)
    seen = await view(session, window, await queries.freshness(session))
    return await subscriptions.report(session, seen, now=until)


class TestFlow:
    async def test_who_comes_back_is_not_new_and_was_not_there_at_the_start(
        self, session: AsyncSession
    ) -> None:
        await open_shop(session)
        until = START + 55 * DAY
        await told(
            session,
            *(ADA.paid(0), ADA.expired(0), replace(ADA, start=START + 20 * DAY).paid(1)),
            *(BOB.paid(0), BOB.paid(1)),
            CARL.paid(0),
        )

        found = await reported(session, START + 31 * DAY, until)

        flow = found.subscriptions
        assert (flow.active, flow.new, flow.churned, flow.reactivated) == (3, 1, 0, 1)
        assert (found.churn_rate.numerator, found.churn_rate.denominator) == (0, 1)

    async def test_a_renewal_on_time_is_neither(self, session: AsyncSession) -> None:
        await open_shop(session)
        await told(session, BOB.paid(0), BOB.paid(1))

        found = await reported(session, START + DAY, START + 40 * DAY)

        flow = found.subscriptions
        assert (flow.active, flow.new, flow.churned, flow.reactivated) == (1, 0, 0, 0)
        assert (found.churn_rate.numerator, found.churn_rate.denominator) == (0, 1)
