"""How much a message asks of the database."""

from medici.kernel.db.database import Database
from tests.domain.billing.books import take
from tests.domain.billing.histories import Line
from tests.doors.studio.statements import statements


class TestRenewal:
    async def test_of_an_old_subscription_asks_no_more_than_of_a_young_one(
        self, opened_shop: Database
    ) -> None:
        line, asked = Line(), []

        for number in range(8):
            news = line.paid(number)
            with statements(opened_shop) as seen:
                async with opened_shop.transaction() as session:
                    await take(session, news, now=news.event_time)
            asked.append(len(seen))

        assert asked[2] == asked[7]
