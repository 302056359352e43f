"""Funnels and cohorts as they are read from the database."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from medici.domain.analytics import people
from medici.domain.analytics.funnels import Funnel, Mode, Step
from medici.domain.analytics.retention import Cohort, Unit, buckets, cohorts
from medici.domain.analytics.spans import Window
from medici.domain.events.facts import Fact
from medici.kernel.db.database import Database
from tests.domain.analytics.reports import HOUR, MINUTE, NOW, RENDERED, ago, roll, tell

WINDOW = Window.of_hours(24, until=NOW)


def act(name: str, by: timedelta, user_id: str | None = "ada", **more: object) -> Fact:
    return ago(Fact(name=name, user_id=user_id, trusted=False), by, **more)


async def followed(database: Database, *steps: str, mode: Mode = Mode.ORDERED) -> list[Step]:
    asked = Funnel(steps=steps, within=timedelta(hours=24), until=NOW, mode=mode)
    async with database.reading() as session:
        return await people.funnel(session, asked, WINDOW)


async def reached(database: Database, *steps: str, mode: Mode = Mode.ORDERED) -> list[int]:
    return [step.actors for step in await followed(database, *steps, mode=mode)]


class TestFunnel:
    async def test_counts_distinct_actors(self, database: Database) -> None:
        await tell(
            database,
            act("opened", 3 * HOUR),
            act("opened", 2 * HOUR),
            act("paid", HOUR),
            act("opened", HOUR, "bob"),
        )

        assert await reached(database, "opened", "paid") == [2, 1]

    async def test_knows_a_device_as_its_user(self, database: Database) -> None:
        await tell(
            database,
            act("opened", 3 * HOUR, None, anonymous_id="phone"),
            act("signed_in", 2 * HOUR, "ada", anonymous_id="phone"),
            act("paid", HOUR, "ada"),
        )
        await roll(database)

        assert await reached(database, "opened", "signed_in", "paid") == [1, 1, 1]

    async def test_takes_our_own_facts_for_renders_and_no_clients(self, database: Database) -> None:
        await tell(
            database,
            act("opened", 3 * HOUR),
            ago(RENDERED, 2 * HOUR),
            ago(RENDERED, HOUR, tier="final"),
            act("opened", 3 * HOUR, "bob"),
            act("render_preview_completed", 2 * HOUR, "bob"),
            act("subscription_activated", HOUR, "bob"),
        )

        steps = ("opened", "render_preview_completed", "render_final_completed")
        assert await reached(database, *steps) == [2, 1, 1]
        assert await reached(database, "opened", "subscription_activated") == [2, 0]

    async def test_in_strict_mode_sees_what_lies_between(self, database: Database) -> None:
        await tell(database, act("opened", 3 * HOUR), act("wandered", 2 * HOUR), act("paid", HOUR))

        assert await reached(database, "opened", "paid", mode=Mode.STRICT) == [1, 0]
        assert await reached(database, "opened", "paid", mode=Mode.ANY) == [1, 1]


async def laid_out(
    database: Database, unit: Unit, zone: str = "UTC", count: int = 3
) -> list[Cohort]:
    spans = buckets(unit, ZoneInfo(zone), count=count, now=NOW)
    async with database.reading() as session:
        sizes = await people.cohort_sizes(session, spans)
        active = await people.active_by_cohort(session, spans)
    return cohorts(spans, sizes, active, now=NOW)


def cells(cohort: Cohort) -> list[int | None]:
    return [each.rate.numerator if each.rate else None for each in cohort.cells]


class TestRetention:
    async def test_follows_cohorts_from_day_to_day(self, database: Database) -> None:
        await tell(
            database,
            act("opened", 48 * HOUR),
            act("opened", 24 * HOUR),
            act("opened", 48 * HOUR, "bob"),
            act("opened", MINUTE),
        )
        await roll(database)

        oldest, middle, newest = await laid_out(database, Unit.DAY)

        assert (oldest.actors, middle.actors, newest.actors) == (2, 0, 0)
        assert cells(oldest) == [2, 1, None]  # today is not over
        assert cells(middle) == [0, None]

    async def test_puts_old_users_into_no_new_cohort(self, database: Database) -> None:
        await tell(database, act("opened", 20 * 24 * HOUR), act("opened", 24 * HOUR))
        await roll(database)

        assert [cohort.actors for cohort in await laid_out(database, Unit.DAY)] == [0, 0, 0]

    async def test_begins_days_at_midnight_of_the_zone(self, database: Database) -> None:
        # 20:30 on the 22nd in UTC is 02:00 on the 23rd in Kolkata.
        await tell(database, act("opened", NOW - datetime(2026, 11, 22, 20, 30, tzinfo=UTC)))
        await roll(database)

        utc = [cohort.actors for cohort in await laid_out(database, Unit.DAY)]
        kolkata = [cohort.actors for cohort in await laid_out(database, Unit.DAY, "Asia/Kolkata")]
        assert (utc, kolkata) == ([1, 0, 0], [0, 1, 0])


class TestBuckets:
    def test_of_weeks_begin_on_mondays(self) -> None:
        spans = buckets(Unit.WEEK, ZoneInfo("UTC"), count=2, now=NOW)
        assert [span.first_day.isoformat() for span in spans] == ["2026-11-16", "2026-11-23"]

    def test_of_months_are_as_long_as_months(self) -> None:
        spans = buckets(Unit.MONTH, ZoneInfo("Europe/Berlin"), count=3, now=NOW)
        assert [span.first_day.isoformat() for span in spans] == [
            "2026-09-01",
            "2026-10-01",
            "2026-11-01",
        ]
        assert spans[1].window.until == datetime(2026, 10, 31, 23, tzinfo=UTC)
