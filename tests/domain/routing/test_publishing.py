"""Draft, publish, roll back: versions without gaps, none ever changed."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.models import AuditEntry
from medici.domain.identity.principal import Operator, Proof
from medici.domain.routing import history
from medici.domain.routing.canaries import Health, Limits
from medici.domain.routing.drafting import Act, change_draft
from medici.domain.routing.errors import (
    CanaryRunning,
    DraftMoved,
    NoCanary,
    SettingsRefused,
    UnknownVersion,
)
from medici.domain.routing.models import (
    CanaryState,
    ProviderSettingsDraft,
    ProviderSettingsVersion,
)
from medici.domain.routing.publishing import Rollout, publish, roll_back
from medici.domain.routing.queries import published
from medici.domain.routing.service import install_first_version
from medici.domain.routing.settings import ProviderSettings, initial_settings
from medici.domain.routing.trying import abort, note_health, promote
from medici.kernel.db.database import Database
from medici.kernel.errors import MediciError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FIRST = initial_settings(fal=True, openai=True)
REGISTERED = frozenset({"fal", "openai", "local", "mock"})
ACT = Act(operator=Operator(proof=Proof.OPEN_MODE, actor="open_mode"), actor="ada", now=NOW)


@pytest.fixture
async def _installed(session: AsyncSession) -> None:
    await install_first_version(session, FIRST, now=NOW)


async def drafted(
    session: AsyncSession, default: str = "openai", *, revision: int | None = None
) -> int:
    patch = {"default_provider": default}
    draft = await change_draft(session, patch, act=ACT, registered=REGISTERED, revision=revision)
    return draft.revision


async def went_out(session: AsyncSession, percent: int = 100) -> int:
    version = await publish(
        session, act=ACT, registered=REGISTERED, rollout=Rollout(percent=percent)
    )
    return version.version


async def actions(session: AsyncSession) -> list[str]:
    return list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


async def in_force(session: AsyncSession) -> tuple[int, str]:
    found = await published(session)
    return found.version, found.settings.default_provider


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


@pytest.mark.usefixtures("_installed")
class TestCanary:
    async def test_is_taken_by_its_share_of_the_users_alone(self, session: AsyncSession) -> None:
        await drafted(session)
        assert await went_out(session, percent=20) == 2

        assert await in_force(session) == (1, "fal")
        found = await published(session)
        taking = [found.of_user(f"user-{number}").version for number in range(1000)]
        assert 160 < taking.count(2) < 240
        assert taking == [found.of_user(f"user-{number}").version for number in range(1000)]

    async def test_lets_no_other_version_out(self, session: AsyncSession) -> None:
        await went_out(session, percent=20)

        with pytest.raises(CanaryRunning):
            await went_out(session)

    async def test_promoted_is_in_force(self, session: AsyncSession) -> None:
        await drafted(session)
        await went_out(session, percent=20)

        await promote(session, act=ACT)

        found = await published(session)
        assert (found.version, found.canary) == (2, None)
        assert await went_out(session) == 3

    async def test_aborted_never_was(self, session: AsyncSession) -> None:
        await drafted(session)
        await went_out(session, percent=20)

        await abort(session, act=ACT)

        found = await published(session)
        assert (found.version, found.settings, found.canary) == (1, FIRST, None)
        assert await went_out(session) == 3
        assert (await published(session)).version == 3

    async def test_ends_with_a_roll_back(self, session: AsyncSession) -> None:
        await drafted(session)
        await went_out(session, percent=20)

        await roll_back(session, 1, act=ACT, registered=REGISTERED)

        found = await published(session)
        assert (found.version, found.canary) == (3, None)
        assert (await history.last_canary(session)).state is CanaryState.ABORTED

    @pytest.mark.parametrize("end", [promote, abort])
    async def test_has_to_be_there_to_end(self, session: AsyncSession, end: object) -> None:
        with pytest.raises(NoCanary):
            await (promote if end is promote else abort)(session, act=ACT)

    async def test_that_does_worse_is_taken_back_by_the_system(self, session: AsyncSession) -> None:
        await went_out(session, percent=20)
        good, bad = Health(finished=100), Health(finished=100, failed=30)

        assert await note_health(session, 2, canary=good, baseline=good, now=NOW) == ()
        assert len(await note_health(session, 2, canary=bad, baseline=good, now=NOW)) == 2

        canary = await history.last_canary(session)
        assert (canary.state, canary.ended_at) == (CanaryState.ROLLED_BACK, NOW)
        assert (await published(session)).canary is None
        noted = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()[-1]
        assert (noted.action, noted.proof, noted.actor) == (
            "provider_settings_canary_rolled_back",
            Proof.SYSTEM,
            "system",
        )
        assert noted.reason == "canary broke error_rate_max, error_rate_increase_max"

    async def test_that_has_ended_is_left_alone(self, session: AsyncSession) -> None:
        await went_out(session, percent=20)
        await promote(session, act=ACT)
        bad = Health(finished=100, failed=100)

        assert await note_health(session, 2, canary=bad, baseline=Health(), now=NOW) == ()
        assert (await published(session)).version == 2

    async def test_keeps_the_limits_it_was_given(self, session: AsyncSession) -> None:
        limits = Limits(minimum_sample=5, error_rate_max=90)
        await publish(
            session, act=ACT, registered=REGISTERED, rollout=Rollout(percent=1, limits=limits)
        )

        assert Limits.model_validate((await history.last_canary(session)).limits) == limits


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


STEPS = ("draft", "publish", "canary", "promote", "abort", "back")
steps = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 4)), max_size=14)


async def taken(session: AsyncSession, step: str, number: int) -> None:
    """Take one step; what is refused changes nothing."""
    act = replace(ACT, reason=f"{step} {number}")
    if step == "draft":
        patch: dict[str, JsonValue] = {"cost_controls": {"max_retries": number}}
        await change_draft(session, patch, act=act, registered=REGISTERED)
    elif step in {"publish", "canary"}:
        rollout = Rollout(percent=100 if step == "publish" else 10)
        await publish(session, act=act, registered=REGISTERED, rollout=rollout)
    elif step == "back":
        await roll_back(session, number, act=act, registered=REGISTERED)
    else:
        await (promote if step == "promote" else abort)(session, act=act)


class TestAnyHistory:
    @settings(
        max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(history_=steps)
    async def test_leaves_no_gap_and_changes_no_version(
        self, database: Database, history_: list[tuple[str, int]]
    ) -> None:
        async with database.transaction() as session:
            await install_first_version(session, FIRST, now=NOW)
        before = await contents(database)

        for step, number in history_:
            try:
                async with database.transaction() as session:
                    await taken(session, step, number)
            except MediciError:
                assert await contents(database) == before, step
            after = await contents(database)
            assert after[: len(before)] == before, step
            assert [version for version, _ in after] == list(range(1, len(after) + 1))
            before = after


async def contents(database: Database) -> list[tuple[int, ProviderSettings]]:
    async with database.reading() as session:
        rows = await session.scalars(
            select(ProviderSettingsVersion).order_by(ProviderSettingsVersion.version)
        )
        return [(row.version, ProviderSettings.model_validate(row.content)) for row in rows]
