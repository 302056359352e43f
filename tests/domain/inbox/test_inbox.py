"""Each message is kept once, sealed, and says what became of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import (
    KEPT,
    AuthMode,
    Buyer,
    PurchaseState,
    Source,
    Standing,
    StoreNews,
)
from medici.domain.inbox import queries
from medici.domain.inbox.errors import MessageNotFound
from medici.domain.inbox.models import MessageStatus, WebhookEvent
from medici.domain.inbox.queries import Wanted
from medici.domain.inbox.service import answered, mark, store
from medici.kernel.crypto import CannotDecrypt, UnknownKey, new_key
from medici.kernel.environment import Environment
from medici.kernel.keyring import KeyRing

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
OLD, NEW = new_key("k1"), new_key("k2")
KEYS = KeyRing((OLD,))
NEWS = StoreNews(
    source=Source.IOS,
    environment=Environment.PRODUCTION,
    event_id="e1",
    event_type="DID_RENEW",
    event_time=NOW - HOUR,
    auth_mode=AuthMode.NATIVE,
    buyer=Buyer(account_token="secret-token"),
    standings=(
        Standing(
            lineage_id="o1",
            product_id="pro_ios",
            state=PurchaseState.ACTIVE,
            expires_at=KEPT,
            details={"a": [1, None]},
        ),
    ),
)


async def kept(
    session: AsyncSession,
    news: StoreNews = NEWS,
    *,
    payload_hash: str = "h1",
    now: datetime = NOW,
    awaits: str | None = None,
) -> WebhookEvent | None:
    return await store(session, news, keys=KEYS, payload_hash=payload_hash, now=now, awaits=awaits)


async def must_keep(session: AsyncSession, event_id: str, *, awaits: str | None = None) -> UUID:
    message = await kept(session, replace(NEWS, event_id=event_id), awaits=awaits)
    assert message is not None
    return message.id


class TestStore:
    async def test_keeps_a_message_as_received(self, session: AsyncSession) -> None:
        message = await kept(session)

        assert message is not None
        assert (message.status, message.event_type) == (MessageStatus.RECEIVED, "DID_RENEW")
        assert (message.event_time, message.received_at) == (NOW - HOUR, NOW)

    @pytest.mark.parametrize("payload_hash", ["h1", "h2"])
    async def test_keeps_the_first_of_two(self, session: AsyncSession, payload_hash: str) -> None:
        first = await kept(session)

        assert await kept(session, payload_hash=payload_hash) is None
        assert [each.id for each in await queries.messages(session, Wanted(), limit=9)] == [
            first.id if first else None
        ]

    @pytest.mark.parametrize(
        "other",
        [
            replace(NEWS, source=Source.WEB),
            replace(NEWS, environment=Environment.SANDBOX),
            replace(NEWS, event_id="e2"),
        ],
    )
    async def test_tells_stores_apart(self, session: AsyncSession, other: StoreNews) -> None:
        await kept(session)

        assert await kept(session, other) is not None

    async def test_seals_what_it_keeps(self, session: AsyncSession) -> None:
        message = await kept(session)

        assert message is not None
        assert b"secret-token" not in message.payload
        assert queries.told(message, KEYS) == NEWS
        assert queries.told(message, KeyRing((NEW, OLD))) == NEWS
        with pytest.raises(UnknownKey):
            queries.told(message, KeyRing((NEW,)))

    async def test_a_payload_opens_in_its_own_row_alone(self, session: AsyncSession) -> None:
        first = await kept(session)
        second = await kept(session, replace(NEWS, event_id="e2"))
        assert first is not None
        assert second is not None

        second.payload = first.payload

        with pytest.raises(CannotDecrypt):
            queries.told(second, KEYS)


class TestMark:
    async def test_says_what_became_of_it(self, session: AsyncSession) -> None:
        message = await kept(session)
        assert message is not None

        await mark(session, message, MessageStatus.STALE, remark="x" * 900, now=NOW)

        found = await queries.message(session, message.id)
        assert (found.status, found.attempts, found.processed_at) == (MessageStatus.STALE, 1, NOW)
        assert len(found.remark or "") == 500

    async def test_an_answer_closes_all_that_waited_for_it(self, session: AsyncSession) -> None:
        first, second = [await must_keep(session, each, awaits="h") for each in ("a", "b")]
        other = await must_keep(session, "c", awaits="other")
        assert len(await queries.waiting(session, received_before=NOW + HOUR, limit=9)) == 3

        await answered(
            session,
            source=Source.IOS,
            environment=Environment.PRODUCTION,
            handle="h",
            status=MessageStatus.PROCESSED,
            now=NOW,
        )

        session.expire_all()
        waiting = await queries.waiting(session, received_before=NOW + HOUR, limit=9)
        assert [each.id for each in waiting] == [other]
        for each in (first, second):
            assert (await queries.message(session, each)).status is MessageStatus.PROCESSED


class TestMessages:
    async def test_are_listed_newest_first_in_pages(self, session: AsyncSession) -> None:
        ids = [await must_keep(session, f"e{number}") for number in range(5)]

        first = await queries.messages(session, Wanted(), limit=2)
        second = await queries.messages(session, Wanted(), limit=2, before=first[-1].id)

        assert [each.id for each in (*first, *second)] == ids[:0:-1]

    @pytest.mark.parametrize(
        ("wanted", "count"),
        [
            (Wanted(source=Source.IOS), 1),
            (Wanted(source=Source.WEB), 0),
            (Wanted(environment=Environment.SANDBOX), 0),
            (Wanted(status=MessageStatus.RECEIVED), 1),
            (Wanted(status=MessageStatus.FAILED), 0),
            (Wanted(event_type="DID_RENEW", event_id="e1"), 1),
            (Wanted(since=NOW, until=NOW + HOUR), 1),
            (Wanted(since=NOW + HOUR), 0),
            (Wanted(until=NOW), 0),
        ],
    )
    async def test_are_narrowed(self, session: AsyncSession, wanted: Wanted, count: int) -> None:
        await kept(session)

        assert len(await queries.messages(session, wanted, limit=9)) == count

    async def test_that_are_not_there_have_a_name(self, session: AsyncSession) -> None:
        with pytest.raises(MessageNotFound):
            await queries.message(session, UUID(int=1))
