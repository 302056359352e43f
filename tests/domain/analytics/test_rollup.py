"""What is rolled up is what the raw facts add up to, whenever they come."""

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.analytics import queries
from medici.domain.analytics.models import (
    ActiveQuarter,
    DayCell,
    FirstSeen,
    HourCell,
    Identity,
    StaleHour,
    UserHour,
)
from medici.domain.analytics.service import rollup
from medici.domain.analytics.spans import Window, floor_hour
from medici.domain.events.facts import Fact
from medici.kernel.db.database import Database
from tests.domain.analytics.reports import (
    HOUR,
    MINUTE,
    NOW,
    OPENED,
    RENDERED,
    added_up,
    ago,
    roll,
    tell,
)

WINDOW = Window.of_hours(72, until=NOW)


async def cells_of_hours(database: Database) -> list[tuple[datetime, str, int]]:
    async with database.reading() as session:
        rows = await session.execute(
            select(HourCell.since, HourCell.name, HourCell.events).order_by(
                HourCell.since, HourCell.name
            )
        )
        return [(row.since, row.name, row.events) for row in rows]


class TestRollUp:
    async def test_leaves_the_running_hour_raw(self, database: Database) -> None:
        await tell(database, ago(OPENED, 10 * MINUTE), ago(OPENED, HOUR), ago(OPENED, HOUR))

        await roll(database)

        assert await cells_of_hours(database) == [(floor_hour(NOW - HOUR), "app_opened", 2)]
        (cell,) = await added_up(database, WINDOW)
        assert (cell.name, cell.platform, cell.trusted, cell.events) == (
            "app_opened",
            "ios",
            False,
            3,
        )

    async def test_adds_up_latency_cost_and_credits(self, database: Database) -> None:
        await tell(
            database,
            ago(RENDERED, 2 * HOUR),
            ago(RENDERED, 3 * HOUR, latency_ms=6_000, cost_micros=None),
            ago(RENDERED, 30 * HOUR, latency_ms=None),
        )

        await roll(database)

        (cell,) = await added_up(database, WINDOW)
        assert (cell.events, cell.timed, cell.latency_ms) == (3, 2, 10_000)
        assert (cell.costed, cell.cost_micros, cell.credits) == (2, 50_000, 3)

    async def test_takes_late_and_backdated_facts_into_their_hours(
        self, database: Database
    ) -> None:
        await tell(database, ago(OPENED, 2 * HOUR))
        await roll(database)

        await tell(database, ago(OPENED, 2 * HOUR), ago(OPENED, 50 * HOUR))
        await roll(database, now=NOW + MINUTE)

        assert await cells_of_hours(database) == [
            (floor_hour(NOW - 50 * HOUR), "app_opened", 1),
            (floor_hour(NOW - 2 * HOUR), "app_opened", 2),
        ]
        assert await added_up(database, WINDOW) == await added_up(database, WINDOW, raw=True)

    async def test_that_is_done_twice_changes_nothing(self, database: Database) -> None:
        await tell(database, ago(OPENED, 2 * HOUR), ago(RENDERED, 26 * HOUR))
        await roll(database)
        before = await added_up(database, WINDOW)

        await roll(database, now=NOW + 5 * MINUTE)

        assert await added_up(database, WINDOW) == before

    async def test_goes_on_after_it_was_killed_halfway(self, database: Database) -> None:
        await tell(database, ago(OPENED, 2 * HOUR), ago(OPENED, 3 * HOUR))
        async with database.transaction() as session:  # then the process dies
            await rollup.look_further(session, after=None, now=NOW)
            await rollup.roll_next(session, now=NOW)

        await roll(database)

        assert await added_up(database, WINDOW) == await added_up(database, WINDOW, raw=True)
        async with database.reading() as session:
            assert await session.scalar(select(func.count()).select_from(StaleHour)) == 0

    async def test_writes_a_day_with_the_last_of_its_stale_hours(self, database: Database) -> None:
        told = [ago(OPENED, 10 * MINUTE), ago(OPENED, 2 * HOUR), ago(OPENED, 3 * HOUR)]
        await tell(database, *told, ago(OPENED, 24 * HOUR))
        async with database.transaction() as session:
            await rollup.look_further(session, after=None, now=NOW)

        written = []
        more = True
        while more:
            async with database.transaction() as session:
                more = await rollup.roll_next(session, now=NOW)
                written.append(
                    (await session.scalars(select(DayCell.events).order_by(DayCell.since))).all()
                )

        assert written == [[1], [1], [1, 2], [1, 2]]  # the running hour is in no day

    async def test_of_what_clients_report_keeps_name_and_platform(self, database: Database) -> None:
        claim = Fact(
            name="render_status_updated",
            status="completed",
            provider="mine",
            cost_micros=10**9,
            platform="web",
            trusted=False,
        )
        await tell(database, ago(claim, HOUR))

        await roll(database)

        (cell,) = await added_up(database, WINDOW)
        assert (cell.name, cell.platform) == ("render_status_updated", "web")
        assert (cell.provider, cell.status, cell.trusted) == ("", "", False)

    async def test_puts_a_clients_rare_names_together(self, database: Database) -> None:
        many = [ago(OPENED, HOUR)] * 2 + [
            Fact(name=f"odd_{n}", occurred_at=NOW - HOUR, trusted=False) for n in range(250)
        ]
        await tell(database, *many)

        await roll(database)

        counted = {name: events for _, name, events in await cells_of_hours(database)}
        assert (len(counted), counted["app_opened"], counted["_other"]) == (201, 2, 51)

    async def test_knows_each_users_renders(self, database: Database) -> None:
        await tell(
            database,
            ago(RENDERED, HOUR),
            ago(RENDERED, HOUR, status="failed", cost_micros=5_000),
            ago(RENDERED, HOUR, status="in_progress", cost_micros=None),
            ago(RENDERED, HOUR, trusted=False),
        )

        await roll(database)

        async with database.reading() as session:
            (row,) = (await session.scalars(select(UserHour))).all()
        assert (row.user_id, row.renders, row.completed) == ("ada", 2, 1)
        assert (row.credits, row.cost_micros) == (1, 30_000)


async def first_seen(session: AsyncSession) -> dict[str, object]:
    rows = await session.execute(select(FirstSeen.actor, FirstSeen.first_at))
    return {row.actor: row.first_at for row in rows}


class TestActors:
    async def test_are_first_seen_when_their_earliest_fact_says(self, database: Database) -> None:
        await tell(database, ago(OPENED, HOUR))
        await roll(database)
        await tell(database, ago(OPENED, 20 * HOUR))

        await roll(database)

        async with database.reading() as session:
            assert await first_seen(session) == {"u:ada": NOW - 20 * HOUR}

    async def test_on_a_device_become_the_first_user_who_signs_in(self, database: Database) -> None:
        device = Fact(name="app_opened", anonymous_id="phone", trusted=False)
        await tell(database, ago(device, 5 * HOUR))
        await roll(database)
        async with database.reading() as session:
            assert await first_seen(session) == {"a:phone": NOW - 5 * HOUR}

        await tell(
            database,
            ago(device, HOUR, user_id="ada"),
            ago(device, HOUR, user_id="bob"),
            ago(device, 6 * HOUR),
        )
        await roll(database)

        async with database.reading() as session:
            assert await first_seen(session) == {"u:ada": NOW - 6 * HOUR, "u:bob": NOW - HOUR}
            assert (await session.scalars(select(Identity.user_id))).all() == ["ada"]
            actors = await session.scalars(select(ActiveQuarter.actor).distinct())
            assert set(actors) == {"u:ada", "u:bob"}

    async def test_do_not_act_by_what_happens_to_them(self, database: Database) -> None:
        await tell(database, ago(RENDERED, HOUR))

        await roll(database)

        async with database.reading() as session:
            assert await first_seen(session) == {}


FACTS = st.builds(
    lambda fact, minutes, status, tier: ago(
        fact, timedelta(minutes=minutes), status=status, tier=tier
    ),
    st.sampled_from([OPENED, RENDERED]),
    st.integers(0, 72 * 60),
    st.sampled_from(["completed", "failed", None]),
    st.sampled_from(["preview", "final"]),
)


class TestProperty:
    @pytest.mark.usefixtures("database")
    @settings(
        max_examples=12,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        rounds=st.lists(st.lists(FACTS, max_size=12), min_size=1, max_size=3),
        hours=st.integers(1, 80),
    )
    async def test_windows_add_up_as_raw_facts_do(
        self, database: Database, rounds: list[list[Fact]], hours: int
    ) -> None:
        window = Window.of_hours(hours, until=NOW)
        for facts in rounds:
            await tell(database, *facts)
            await roll(database)

        assert await added_up(database, window) == await added_up(database, window, raw=True)
        async with database.reading() as session:
            bins = await queries.latency_bins(session, window, floor_hour(NOW))
            assert bins == await queries.latency_bins(session, window, None)
            renderers = await queries.renderers(session, window, floor_hour(NOW))
            assert renderers == await queries.renderers(session, window, None)
            days = await session.scalar(select(func.sum(DayCell.events)))
            assert days == await session.scalar(select(func.sum(HourCell.events)))
