"""Draft, publish, roll back."""

import asyncio

import pytest
from pydantic import JsonValue
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.routing import history
from medici.domain.routing.drafting import change_draft
from medici.domain.routing.errors import (
    DraftMoved,
    SettingsRefused,
    UnknownVersion,
)
from medici.domain.routing.models import (
    ProviderSettingsDraft,
)
from medici.domain.routing.publishing import publish, roll_back
from medici.domain.routing.queries import published
from medici.domain.routing.service import install_first_version
from medici.kernel.db.database import Database
from tests.domain.routing.acts import (
    ACT,
    FIRST,
    NOW,
    REGISTERED,
    actions,
    drafted,
    in_force,
    went_out,
)


@pytest.mark.usefixtures("_installed")
class TestDraft:
    async def test_begins_as_what_is_published(self, session: AsyncSession) -> None:
        draft = await history.draft(session)

        assert (draft.revision, draft.settings) == (0, FIRST)

    async def test_takes_changes_without_effect(self, session: AsyncSession) -> None:
        assert [await drafted(session), await drafted(session, "fal")] == [1, 2]
        assert (await published(session)).version == 1

    async def test_a_change_for_an_older_one_is_told_what_changed(
        self, session: AsyncSession
    ) -> None:
        await drafted(session)
        await drafted(session, "fal", revision=1)

        with pytest.raises(DraftMoved) as clash:
            await drafted(session, "openai", revision=1)

        assert (clash.value.revision, clash.value.changed_by) == (2, "ada")
        assert clash.value.changes == [
            {"path": "/default_provider", "kind": "changed", "before": "openai", "after": "fal"}
        ]

    async def test_nobody_had_touched_it_at_first(self, session: AsyncSession) -> None:
        await drafted(session)

        with pytest.raises(DraftMoved) as clash:
            await drafted(session, revision=0)

        assert clash.value.changes == [
            {"path": "/default_provider", "kind": "changed", "before": "fal", "after": "openai"}
        ]

    @pytest.mark.parametrize(
        ("patch", "code"),
        [
            ({"enabled_providers": []}, "no_provider_enabled"),
            ({"default_provider": "local"}, "default_provider_not_enabled"),
            ({"default_provider": None}, "invalid_provider_settings"),
            ({"colour": "red"}, "invalid_provider_settings"),
        ],
    )
    async def test_refuses_what_could_not_be_published(
        self, session: AsyncSession, patch: dict[str, JsonValue], code: str
    ) -> None:
        with pytest.raises(SettingsRefused) as refused:
            await change_draft(session, patch, act=ACT, registered=REGISTERED)

        assert refused.value.code == code
        assert (await history.draft(session)).revision == 0


@pytest.mark.usefixtures("_installed")
class TestPublish:
    async def test_makes_the_draft_the_next_version(self, session: AsyncSession) -> None:
        await drafted(session)

        assert await went_out(session) == 2
        assert await in_force(session) == (2, "openai")
        assert await actions(session) == [
            "provider_settings_draft_updated",
            "provider_settings_published",
        ]

    async def test_publishes_only_the_draft_that_was_seen(self, session: AsyncSession) -> None:
        await drafted(session)

        with pytest.raises(DraftMoved):
            await publish(session, act=ACT, registered=REGISTERED, revision=0)

    async def test_refuses_a_provider_that_is_gone(self, session: AsyncSession) -> None:
        with pytest.raises(SettingsRefused):
            await publish(session, act=ACT, registered=REGISTERED - {"openai"})


@pytest.mark.usefixtures("_installed")
class TestRollBack:
    async def test_publishes_the_old_content_anew_and_resets_the_draft(
        self, session: AsyncSession
    ) -> None:
        await drafted(session)
        await went_out(session)

        version = await roll_back(session, 1, act=ACT, registered=REGISTERED)

        assert (version.version, version.reason) == (3, "rollback_from_1")
        assert (await published(session)).settings == FIRST
        assert (await history.draft(session)).settings == FIRST

    async def test_knows_no_other_versions(self, session: AsyncSession) -> None:
        with pytest.raises(UnknownVersion):
            await roll_back(session, 9, act=ACT, registered=REGISTERED)


class TestSeveralTransactions:
    async def test_a_state_of_the_draft_is_never_changed(self, database: Database) -> None:
        async with database.transaction() as session:
            await install_first_version(session, FIRST, now=NOW)
            await drafted(session)

        with pytest.raises(DBAPIError, match="append-only"):
            async with database.transaction() as session:
                await session.execute(update(ProviderSettingsDraft).values(actor="eve"))

    async def test_publishing_at_once_numbers_without_gaps(self, database: Database) -> None:
        async with database.transaction() as session:
            await install_first_version(session, FIRST, now=NOW)

        async def publishing(number: int) -> int:
            async with database.transaction() as session:
                await change_draft(
                    session,
                    {"cost_controls": {"max_retries": number}},
                    act=ACT,
                    registered=REGISTERED,
                )
                return await went_out(session)

        numbers = await asyncio.gather(*(publishing(number) for number in range(8)))

        assert sorted(numbers) == list(range(2, 10))
        async with database.reading() as session:
            assert (await history.draft(session)).revision == 8
