"""What stores told follows the newest key of the installation, so that older ones can go."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from medici.adapters.payments.news import AuthMode, Source, StoreNews
from medici.domain.inbox import queries, tasks
from medici.domain.inbox.models import WebhookEvent
from medici.domain.inbox.queries import Wanted
from medici.domain.inbox.resealing import reseal, under_other_keys
from medici.domain.inbox.service import store
from medici.domain.inbox.work import RESEAL
from medici.jobs.handlers import Registry
from medici.jobs.inline import run_due
from medici.jobs.queue import enqueue
from medici.kernel.crypto import key_id_of, new_key
from medici.kernel.db.database import Database
from medici.kernel.environment import Environment
from medici.kernel.keyring import KeyRing

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
REGISTRY = Registry.of(tasks)
# Ids that begin alike, as they do when keys are named by their year.
OLDEST, OLD, NEW = new_key("k"), new_key("k1"), new_key("k10")
NEWS = StoreNews(
    source=Source.WEB,
    environment=Environment.PRODUCTION,
    event_id="e",
    event_type="invoice.paid",
    event_time=NOW,
    auth_mode=AuthMode.NATIVE,
)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """As much of a process's resources as the inbox's work asks for."""

    database: Database
    keys: KeyRing

    async def keep(self, *event_ids: str) -> list[UUID]:
        """Store messages, sealed with the newest key of this desk."""
        async with self.database.transaction() as session:
            kept = [
                await store(
                    session,
                    replace(NEWS, event_id=event_id),
                    keys=self.keys,
                    payload_hash="",
                    now=NOW,
                )
                for event_id in event_ids
            ]
        return [message.id for message in kept if message is not None]

    async def work(self) -> None:
        async with self.database.transaction() as session:
            await enqueue(session, RESEAL, now=NOW, args={})
        await run_due(self.database, REGISTRY, self, NOW)

    async def messages(self) -> Sequence[WebhookEvent]:
        async with self.database.reading() as session:
            return await queries.messages(session, Wanted(), limit=1000)

    async def key_ids(self) -> Counter[str]:
        return Counter(key_id_of(one.payload.decode()) for one in await self.messages())

    async def told(self) -> set[str]:
        return {queries.told(one, self.keys).event_id for one in await self.messages()}


def desk(database: Database, *keys: str) -> Desk:
    """Open a desk whose ring has these keys, newest first."""
    known = {key.id: key for key in (OLDEST, OLD, NEW)}
    return Desk(database=database, keys=KeyRing(tuple(known[key_id] for key_id in keys)))


class TestRotation:
    async def test_leaves_nothing_under_the_old_keys(self, database: Database) -> None:
        await desk(database, "k").keep("a", "b")
        await desk(database, "k1", "k").keep("c")
        rotating = desk(database, "k10", "k1", "k")
        await rotating.keep("d")

        await rotating.work()

        assert await rotating.key_ids() == Counter({"k10": 4})
        assert await desk(database, "k10").told() == {"a", "b", "c", "d"}

    async def test_goes_back_as_it_went(self, database: Database) -> None:
        await desk(database, "k10").keep("a")

        await desk(database, "k1", "k10").work()

        assert await desk(database, "k1").told() == {"a"}

    async def test_takes_more_messages_than_one_batch(self, database: Database) -> None:
        names = [f"e{number}" for number in range(450)]
        await desk(database, "k").keep(*names)

        await desk(database, "k1", "k").work()

        assert await desk(database, "k1").told() == set(names)

    async def test_goes_on_where_another_run_was_killed(self, database: Database) -> None:
        await desk(database, "k").keep("a", "b", "c")
        rotating = desk(database, "k1", "k")
        async with database.transaction() as session:
            first = await under_other_keys(session, rotating.keys, after=None, limit=2)
            assert await reseal(session, first, rotating.keys) == 2
        assert await rotating.told() == {"a", "b", "c"}

        await rotating.work()

        assert await rotating.key_ids() == Counter({"k1": 3})

    async def test_changes_nothing_the_second_time(self, database: Database) -> None:
        await desk(database, "k").keep("a")
        rotating = desk(database, "k1", "k")
        await rotating.work()
        (before,) = await rotating.messages()

        await rotating.work()

        (after,) = await rotating.messages()
        assert after.payload == before.payload

    async def test_keeps_what_became_of_a_message(self, database: Database) -> None:
        (message_id,) = await desk(database, "k").keep("a")
        async with database.transaction() as session:
            await session.execute(update(WebhookEvent).values(attempts=3, awaits="sub_1"))

        await desk(database, "k1", "k").work()

        async with database.reading() as session:
            found = await session.get_one(WebhookEvent, message_id)
        assert (found.attempts, found.awaits, found.received_at) == (3, "sub_1", NOW)


class TestMessageThatDoesNotOpen:
    async def test_is_told_of_and_holds_up_no_other(self, database: Database) -> None:
        (lost,) = await desk(database, "k").keep("a")
        await desk(database, "k1").keep("b")

        with capture_logs() as logs:
            await desk(database, "k10", "k1").work()

        assert [
            (line["message_id"], line["error_code"])
            for line in logs
            if line["event"] == "inbox.message_unreadable"
        ] == [(str(lost), "unknown_encryption_key")]
        assert await desk(database, "k10").key_ids() == Counter({"k": 1, "k10": 1})
        await desk(database, "k10", "k").work()
        assert await desk(database, "k10").told() == {"a", "b"}


class TestMessageAtWork:
    async def test_is_left_for_the_next_time(self, database: Database) -> None:
        if database.dialect == "sqlite":
            pytest.skip("one writer at a time")
        await desk(database, "k").keep("a", "b")
        rotating = desk(database, "k1", "k")
        async with database.transaction() as session:
            await session.execute(
                select(WebhookEvent).where(WebhookEvent.event_id == "a").with_for_update()
            )
            await rotating.work()

        assert await rotating.key_ids() == Counter({"k": 1, "k1": 1})


class TestSchedule:
    def test_comes_round_every_hour(self) -> None:
        assert [(one.name, one.every) for one in REGISTRY.schedules] == [
            ("inbox.reseal", timedelta(hours=1))
        ]
