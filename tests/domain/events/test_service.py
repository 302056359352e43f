"""Facts are kept as they were told."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.events.facts import EventName, Fact
from medici.domain.events.models import Event
from medici.domain.events.service import SAME_IN_BOTH, record
from medici.kernel.db.database import Database
from medici.kernel.ids import new_id

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def stored(session: AsyncSession) -> Event:
    session.expunge_all()
    return (await session.scalars(select(Event))).one()


class TestRecord:
    async def test_keeps_every_field(self, session: AsyncSession) -> None:
        fact = Fact(
            name=EventName.RENDER_STATUS_UPDATED,
            occurred_at=NOW - timedelta(seconds=3),
            user_id="ada",
            platform="ios",
            provider="fal",
            model="fal-ai/flux/dev/image-to-image",
            operation="restyle",
            tier="preview",
            status="completed",
            latency_ms=4_100,
            cost_micros=25_000,
            credits=1,
            plan_id="free",
            project_id="flat",
            style_id="japandi",
            render_job_id=new_id(),
            error_code="none",
            trusted=False,
            properties={"attempt": 2, "notes": ["dark room"]},
        )

        await record(session, fact, now=NOW)

        event = await stored(session)
        assert {name: getattr(event, name) for name in SAME_IN_BOTH} == {
            name: getattr(fact, name) for name in SAME_IN_BOTH
        }
        assert event.occurred_at == NOW - timedelta(seconds=3)
        assert event.recorded_at == NOW
        assert event.properties == {"attempt": 2, "notes": ["dark room"]}

    async def test_what_has_no_time_happened_just_now(self, session: AsyncSession) -> None:
        await record(session, Fact(name="app_opened"), now=NOW)

        event = await stored(session)
        assert (event.name, event.occurred_at, event.trusted) == ("app_opened", NOW, True)
        assert (event.user_id, event.cost_micros, event.properties) == (None, None, {})

    async def test_goes_with_the_transaction_it_tells_about(self, database: Database) -> None:
        async with database.transaction() as session:
            await record(session, Fact(name="app_opened"), now=NOW)
            await session.rollback()

        async with database.reading() as session:
            assert (await session.scalars(select(Event))).all() == []
