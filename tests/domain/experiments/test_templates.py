"""The built-in templates can be set up as they are, and are never set up over anything."""

from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.models import ExperimentStatus
from medici.domain.experiments import reading
from medici.domain.experiments.service.retiring import archive
from medici.domain.experiments.service.seeding import Outcome, rehearse, seed_templates
from medici.domain.experiments.service.setting_up import put
from medici.domain.experiments.templates import TEMPLATES, Template, fitting
from medici.domain.routing.service import install_first_version
from medici.domain.routing.settings import initial_settings
from tests.domain.experiments.set_ups import EVE, NOW, PAYWALL, done

BOTH = initial_settings(fal=True, openai=True)
LOCAL = initial_settings(fal=False, openai=False)
PROVIDERS = {"fal", "openai", "local"}
IDS = [each.template_id for each in TEMPLATES]


@pytest.fixture
async def _deployment(session: AsyncSession) -> None:
    await install_first_version(session, BOTH, now=NOW)


def routed(built_in: Template) -> list[bool]:
    return ["routing" in each.config for each in built_in.set_up.variants]


class TestTemplates:
    def test_are_four(self) -> None:
        assert IDS == [
            "pricing_paywall_timing",
            "pricing_plan_highlight",
            "provider_preview_quality",
            "provider_fallback_order",
        ]

    @pytest.mark.usefixtures("_deployment")
    @pytest.mark.parametrize("built_in", TEMPLATES, ids=IDS)
    async def test_can_be_started_as_they_are(
        self, session: AsyncSession, built_in: Template
    ) -> None:
        wanted = replace(built_in.set_up, is_active=True)

        made = await put(session, built_in.template_id, wanted, act=EVE, registered=PROVIDERS)

        assert made.experiment.status is ExperimentStatus.RUNNING
        assert made.warnings == ()
        assert made.experiment.guardrails["render_events_min"] == 200

    def test_route_where_the_providers_are(self) -> None:
        assert [routed(each) for each in fitting(BOTH, PROVIDERS)] == [
            [False, False],
            [False, False],
            [True, True],
            [True, True],
        ]

    def test_route_nothing_elsewhere(self) -> None:
        fitted = fitting(LOCAL, {"local"})

        assert [routed(each) for each in fitted] == [[False, False]] * 4
        assert [dict(each.config) for each in fitted[3].set_up.variants] == [
            {"fallback_order": ["fal", "openai"]},
            {"fallback_order": ["openai", "fal"]},
        ]


@pytest.mark.usefixtures("_deployment")
class TestSeeding:
    async def test_sets_up_what_is_missing_and_starts_nothing(self, session: AsyncSession) -> None:
        seeded = await seed_templates(session, act=EVE, registered=PROVIDERS)

        assert {each.outcome for each in seeded} == {Outcome.CREATED}
        rows = await reading.page(session, limit=10)
        assert {one.experiment_id for one, _ in rows} == set(IDS)
        assert {one.status for one, _ in rows} == {ExperimentStatus.DRAFT}
        assert await done(session) == ["experiment_upserted"] * 4

    async def test_touches_nothing_that_is_there(self, session: AsyncSession) -> None:
        await put(session, IDS[0], PAYWALL, act=EVE)
        await put(session, IDS[1], PAYWALL, act=EVE)
        await archive(session, IDS[1], act=EVE)

        seeded = await seed_templates(session, act=EVE, registered=PROVIDERS)

        assert [each.outcome for each in seeded] == ["kept", "kept", "created", "created"]
        mine, _ = await reading.experiment(session, IDS[0])
        gone, _ = await reading.experiment(session, IDS[1])
        assert (mine.status, mine.revision) == (ExperimentStatus.RUNNING, 1)
        assert (gone.status, gone.name) == (ExperimentStatus.ARCHIVED, "Paywall timing")

    async def test_can_be_rehearsed(self, session: AsyncSession) -> None:
        await put(session, IDS[2], PAYWALL, act=EVE)

        told = await rehearse(session)

        assert [each.outcome for each in told] == ["created", "created", "kept", "created"]
        assert len(await reading.page(session, limit=10)) == 1
