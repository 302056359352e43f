"""Renders of a test of providers after their admission."""

from collections import Counter

import pytest
from sqlalchemy import select

from medici.adapters.providers.failure import FailureCode
from medici.adapters.providers.request import Tier
from medici.domain.events.models import Event
from medici.domain.rendering.models import RenderState
from medici.domain.routing.settings import OnModeration
from tests.domain.rendering.renders import end_of, tries
from tests.support.painters import Painter, fails
from tests.support.provider_tests import (
    CONTROL,
    ONLY_CONTROL,
    OTHER,
    TO_ADA,
    begun,
    change,
    pause,
)
from tests.support.studio import Studio

GOING_ON = {
    "operation_routes": {
        "restyle": {
            "preview_provider": "sculptor",
            "final_provider": "sculptor",
            "on_moderation": OnModeration.FALLBACK.value,
        }
    }
}


class TestDispatch:
    async def test_falls_back_from_what_the_variant_chose(
        self, studio: Studio, sculptor: Painter
    ) -> None:
        await begun(studio, overrides=TO_ADA)
        sculptor.script.submit.append(fails(FailureCode.PROVIDER_FAILED))
        job_id = await studio.order()

        await studio.finish()

        assert await end_of(studio, job_id) == ("succeeded", None, "painter")
        assert [provider for provider, _, _ in await tries(studio, job_id)] == [
            "sculptor",
            "painter",
        ]

    async def test_follows_the_admission_when_the_test_was_paused(self, studio: Studio) -> None:
        await begun(studio, overrides=TO_ADA)
        job_id = await studio.order()
        async with studio.database.transaction() as session:
            await pause(session, "providers")

        await studio.finish()

        assert await end_of(studio, job_id) == ("succeeded", None, "sculptor")

    async def test_follows_the_admission_when_other_settings_were_published(
        self, studio: Studio
    ) -> None:
        await begun(studio, overrides=TO_ADA)
        job_id = await studio.order()
        await studio.publish("painter")

        await studio.finish()

        assert await end_of(studio, job_id) == ("succeeded", None, "sculptor")

    @pytest.mark.parametrize("paused", [False, True])
    async def test_odd_outcomes_follow_the_variant(
        self, studio: Studio, sculptor: Painter, *, paused: bool
    ) -> None:
        await begun(studio, {CONTROL: None, OTHER: GOING_ON}, overrides=TO_ADA)
        sculptor.script.submit.append(fails(FailureCode.MODERATED))
        job_id = await studio.order()
        if paused:
            async with studio.database.transaction() as session:
                await pause(session, "providers")

        await studio.finish()

        assert await end_of(studio, job_id) == ("succeeded", None, "painter")

    async def test_odd_outcomes_follow_the_published_route_of_a_variant_that_is_gone(
        self, studio: Studio, sculptor: Painter
    ) -> None:
        await begun(studio, {CONTROL: None, OTHER: GOING_ON}, overrides=TO_ADA)
        sculptor.script.submit.append(fails(FailureCode.MODERATED))
        job_id = await studio.order()
        async with studio.database.transaction() as session:
            await change(session, "providers", variants=[ONLY_CONTROL])

        await studio.finish()

        assert (await studio.job(job_id)).state is RenderState.MODERATED


class TestFacts:
    async def test_name_the_experiment_and_the_variant(
        self, studio: Studio, sculptor: Painter
    ) -> None:
        await begun(studio, overrides=TO_ADA)
        sculptor.script.submit.append(fails(FailureCode.PROVIDER_FAILED))
        await studio.order()

        await studio.finish()

        async with studio.database.reading() as session:
            found = select(Event.name, Event.properties).where(Event.name.like("render_%"))
            told = [(name, properties) for name, properties in await session.execute(found)]
        named = {"experiment_id": "providers", "variant_id": OTHER}
        assert Counter(name for name, _ in told) == {
            "render_dispatched": 1,
            "render_provider_attempt_failed": 1,
            "render_status_updated": 2,
        }
        assert all(properties == named for _, properties in told)

    async def test_name_nothing_outside_of_experiments(self, studio: Studio) -> None:
        await studio.order(tier=Tier.PREVIEW)

        async with studio.database.reading() as session:
            assert list(await session.scalars(select(Event.properties))) == [{}]
