"""Published settings: one first version, the newest in force, none ever changed."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Executable, delete, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.routing.errors import NothingPublished
from medici.domain.routing.models import ProviderSettingsVersion
from medici.domain.routing.queries import PublishedSettings, published
from medici.domain.routing.service import install_first_version
from medici.domain.routing.settings import initial_settings
from medici.kernel.db.database import Database

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LOCAL = initial_settings(fal=False, openai=False)
HOSTED = initial_settings(fal=True, openai=True)


class TestInstallFirstVersion:
    async def test_is_in_force_at_once(self, session: AsyncSession) -> None:
        await install_first_version(session, LOCAL, now=NOW)

        assert await published(session) == PublishedSettings(version=1, settings=LOCAL)
        row = await session.get_one(ProviderSettingsVersion, 1)
        assert (row.actor, row.reason, row.created_at) == ("system", "initial_bootstrap", NOW)

    async def test_leaves_an_older_one_alone(self, session: AsyncSession) -> None:
        await install_first_version(session, LOCAL, now=NOW)
        await install_first_version(session, HOSTED, now=NOW + timedelta(days=1))

        assert (await published(session)).settings == LOCAL

    async def test_processes_that_start_at_once_write_one(self, database: Database) -> None:
        async def start() -> None:
            async with database.transaction() as session:
                await install_first_version(session, LOCAL, now=NOW)

        await asyncio.gather(*(start() for _ in range(8)))

        async with database.reading() as session:
            versions = select(func.count()).select_from(ProviderSettingsVersion)
            assert await session.scalar(versions) == 1


class TestPublished:
    async def test_is_the_newest(self, session: AsyncSession) -> None:
        await install_first_version(session, LOCAL, now=NOW)
        session.add(
            ProviderSettingsVersion(
                version=2,
                content=HOSTED.model_dump(mode="json"),
                actor="ada",
                reason="keys arrived",
                created_at=NOW,
            )
        )
        await session.flush()

        assert await published(session) == PublishedSettings(version=2, settings=HOSTED)

    async def test_says_when_there_is_none(self, session: AsyncSession) -> None:
        with pytest.raises(NothingPublished):
            await published(session)


class TestAppendOnly:
    async def test_a_version_is_never_changed_or_removed(self, database: Database) -> None:
        async with database.transaction() as session:
            await install_first_version(session, LOCAL, now=NOW)

        attempts: list[Executable] = [
            update(ProviderSettingsVersion).values(actor="eve"),
            delete(ProviderSettingsVersion),
        ]
        if database.dialect == "postgresql":
            attempts.append(text("TRUNCATE provider_settings_versions CASCADE"))
        for attempt in attempts:
            with pytest.raises(DBAPIError, match="append-only"):
                async with database.transaction() as session:
                    await session.execute(attempt)

        async with database.reading() as session:
            assert (await published(session)).settings == LOCAL
