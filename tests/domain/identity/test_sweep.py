"""Tokens that have long expired are cleared away; no other is."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity import service
from medici.domain.identity.models import AccessToken

NOW = datetime(2026, 3, 1, tzinfo=UTC)


async def sign_in(session: AsyncSession, user_id: str, ttl: timedelta) -> None:
    await service.sign_in(session, user_id=user_id, platform=None, ttl=ttl, now=NOW)


class TestForgetTokens:
    async def test_takes_only_what_expired_before(self, session: AsyncSession) -> None:
        await sign_in(session, "ann", timedelta(hours=1))
        await sign_in(session, "bob", timedelta(hours=3))

        deleted = await service.forget_tokens(session, expired_before=NOW + timedelta(hours=2))

        left = await session.scalars(select(AccessToken.user_id))
        assert (deleted, left.all()) == (1, ["bob"])

    async def test_takes_a_batch_at_a_time(self, session: AsyncSession) -> None:
        for name in ("ann", "bob", "eve"):
            await sign_in(session, name, timedelta(hours=1))
        later = NOW + timedelta(days=1)

        first = await service.forget_tokens(session, expired_before=later, limit=2)
        second = await service.forget_tokens(session, expired_before=later, limit=2)

        assert (first, second) == (2, 1)
