"""Renders of users who take part in a test of providers."""

from collections import Counter
from datetime import timedelta

import pytest
from pydantic import JsonValue
from sqlalchemy import select

from medici.domain.assignments.models import Assignment
from medici.domain.rendering.models import RenderJob
from medici.domain.routing.drafting import change_draft
from medici.domain.routing.publishing import Rollout, publish
from tests.domain.routing.acts import ACT
from tests.doors.support import NOW
from tests.support.painters import Painter
from tests.support.provider_tests import (
    CONTROL,
    ONLY_OTHER,
    OTHER,
    TO_ADA,
    TO_SCULPTOR,
    begun,
    change,
    pause,
    roll_out,
    start,
)
from tests.support.studio import Studio

EVERYTHING_TO_NOBODY = {
    "default_provider": "nobody",
    "fallback_chain": [],
    "operation_routes": {"restyle": None},
}
USERS = 40
LATER = timedelta(seconds=2)


async def served(studio: Studio, user_id: str = "ada") -> RenderJob:
    return await studio.job(await studio.order(user_id))


def mark(job: RenderJob) -> tuple[str | None, str | None, str]:
    return job.experiment_id, job.variant_id, job.provider


async def rows_of(studio: Studio, experiment_id: str) -> list[Assignment]:
    async with studio.database.reading() as session:
        found = select(Assignment).where(Assignment.experiment_id == experiment_id)
        return list(await session.scalars(found))


class TestAdmission:
    async def test_without_a_test_marks_nothing(self, studio: Studio) -> None:
        assert mark(await served(studio)) == (None, None, "painter")

    async def test_sends_each_user_where_their_variant_says(self, studio: Studio) -> None:
        await begun(studio)
        photo = "https://example.com/room.jpg"
        jobs = []
        for number in range(USERS):
            await studio.customer(f"user-{number}")
            job_id = await studio.order(f"user-{number}", image_url=photo)
            jobs.append(await studio.job(job_id))

        told = {row.user_id: row.variant_id for row in await rows_of(studio, "providers")}

        assert {job.user_id: job.variant_id for job in jobs} == told
        assert {(job.variant_id, job.provider) for job in jobs} == {
            (CONTROL, "painter"),
            (OTHER, "sculptor"),
        }
        shares = Counter(told.values())
        assert min(shares.values()) >= USERS / 4
        assert {job.experiment_id for job in jobs} == {"providers"}

    async def test_gives_a_user_the_same_each_time(self, studio: Studio) -> None:
        await begun(studio)

        marks = {mark(await served(studio)) for _ in range(3)}

        assert len(marks) == 1
        assert len(await rows_of(studio, "providers")) == 1

    async def test_counts_a_user_from_the_first_order_on(self, studio: Studio) -> None:
        await begun(studio)

        await studio.order()

        (row,) = await rows_of(studio, "providers")
        assert (row.first_exposed_at, row.enrolled) == (NOW, True)

    async def test_control_is_marked_and_served_by_what_is_published(self, studio: Studio) -> None:
        await begun(studio, overrides={"ada": CONTROL})

        assert mark(await served(studio)) == ("providers", CONTROL, "painter")

    async def test_a_forced_variant_is_served(self, studio: Studio) -> None:
        await begun(studio, overrides=TO_ADA)

        assert mark(await served(studio)) == ("providers", OTHER, "sculptor")
        assert await rows_of(studio, "providers") == []

    async def test_can_change_the_model_alone(self, studio: Studio) -> None:
        dearer = {"provider_models": {"painter": {"final_model": "painter-huge"}}}
        await begun(studio, {CONTROL: None, OTHER: dearer}, overrides=TO_ADA)

        job = await served(studio)

        assert (job.provider, job.provider_model) == ("painter", "painter-huge")

    async def test_can_change_the_size_of_pictures(self, studio: Studio) -> None:
        smaller = {"cost_controls": {"max_output_megapixels": 0.25}}
        await begun(studio, {CONTROL: None, OTHER: smaller}, overrides=TO_ADA)

        assert (await served(studio)).max_pixels == 250_000

    async def test_goes_over_the_canary_that_a_user_takes_part_in(self, studio: Studio) -> None:
        await begun(studio, overrides=TO_ADA)
        smaller: JsonValue = {"max_output_megapixels": 0.25}
        names = studio.resources.providers.names
        async with studio.database.transaction() as session:
            await change_draft(session, {"cost_controls": smaller}, act=ACT, registered=names)
            await publish(session, act=ACT, registered=names, rollout=Rollout(percent=99))

        job = await served(studio)

        assert mark(job) == ("providers", OTHER, "sculptor")
        assert (job.settings_version, job.max_pixels) == (2, 250_000)

    async def test_an_experiment_about_something_else_marks_nothing(self, studio: Studio) -> None:
        await begun(studio, {CONTROL: None, OTHER: None}, overrides=TO_ADA)

        assert mark(await served(studio)) == (None, None, "painter")
        assert await rows_of(studio, "providers") == []

    async def test_does_not_take_in_whom_it_is_not_for(self, studio: Studio) -> None:
        await begun(studio, targeting={"plan_id": ["pro"]})

        assert mark(await served(studio)) == (None, None, "painter")
        assert await rows_of(studio, "providers") == []

    @pytest.mark.parametrize(
        "targeting", [{"country": ["TR"]}, {"app_version_min": "1.0"}, {"platform": ["ios"]}]
    )
    async def test_takes_in_nobody_by_what_it_cannot_know(
        self, studio: Studio, targeting: dict[str, object]
    ) -> None:
        await begun(studio, targeting=targeting)

        assert mark(await served(studio))[0] is None

    @pytest.mark.parametrize("targeting", [{"plan_id": ["free"]}, {"new_users_only": True}])
    async def test_takes_in_whom_it_is_for(
        self, studio: Studio, targeting: dict[str, object]
    ) -> None:
        await begun(studio, targeting=targeting)

        assert mark(await served(studio))[0] == "providers"

    async def test_new_users_came_after_the_phase_began(self, studio: Studio) -> None:
        await begun(studio, targeting={"new_users_only": True}, phase_started_at=NOW + LATER)

        assert mark(await served(studio))[0] is None


class TestSeveral:
    async def test_the_first_that_takes_a_user_in_counts_alone(self, studio: Studio) -> None:
        await begun(studio, experiment_id="b", overrides=TO_ADA)
        await begun(studio, experiment_id="a", overrides={"ada": CONTROL})

        assert mark(await served(studio)) == ("a", CONTROL, "painter")

    async def test_whom_the_first_leaves_out_the_next_may_take(self, studio: Studio) -> None:
        await begun(studio, experiment_id="a", traffic_percent=0.0)
        await begun(studio, experiment_id="b")

        job = await served(studio)

        assert job.experiment_id == "b"
        assert await rows_of(studio, "a") == []

    async def test_nobody_is_counted_where_another_decides(self, studio: Studio) -> None:
        await begun(studio, experiment_id="a")
        await begun(studio, experiment_id="b")

        await studio.order()

        assert (len(await rows_of(studio, "a")), len(await rows_of(studio, "b"))) == (1, 0)


class TestChange:
    async def test_a_paused_test_serves_nobody_further(self, studio: Studio) -> None:
        await begun(studio, overrides=TO_ADA)
        await studio.order()
        async with studio.database.transaction() as session:
            await pause(session, "providers")

        assert mark(await served(studio)) == (None, None, "painter")

    async def test_of_another_process_is_seen_within_a_second(self, studio: Studio) -> None:
        await studio.order()
        async with studio.database.transaction() as session:
            await start(session, "providers", TO_SCULPTOR, overrides=TO_ADA)
            session.info.clear()  # as if it had been written elsewhere
        studio.clock.advance(timedelta(seconds=1))

        assert mark(await served(studio)) == ("providers", OTHER, "sculptor")

    async def test_a_set_up_that_has_grown_old_is_read_again(self, studio: Studio) -> None:
        await begun(studio, overrides={"nobody": OTHER})
        await studio.customer("grace")
        await studio.order("grace")
        async with studio.database.transaction() as session:
            await change(session, "providers", variants=[ONLY_OTHER])
            session.info.clear()

        assert mark(await served(studio)) == ("providers", OTHER, "sculptor")

    async def test_the_ladder_moves_everybody_to_the_winner(self, studio: Studio) -> None:
        await begun(studio)
        users = [f"user-{number}" for number in range(8)]
        for user_id in users:
            await studio.customer(user_id)
            await studio.order(user_id)
        async with studio.database.transaction() as session:
            await roll_out(session, "providers")

        marks = {mark(await served(studio, user_id)) for user_id in users}

        assert marks == {("providers", OTHER, "sculptor")}


class TestNobodyLeft:
    async def test_of_a_variant_leaves_the_published_ones(self, studio: Studio) -> None:
        await begun(studio, {CONTROL: None, OTHER: EVERYTHING_TO_NOBODY}, overrides=TO_ADA)

        assert mark(await served(studio)) == (None, None, "painter")

    async def test_routing_that_does_not_fit_any_more_is_none(self, studio: Studio) -> None:
        await begun(studio, {CONTROL: None, OTHER: {"default_provider": None}}, overrides=TO_ADA)

        assert mark(await served(studio)) == (None, None, "painter")

    async def test_a_provider_that_is_switched_off_is_off_for_all(self, studio: Studio) -> None:
        await begun(studio, overrides=TO_ADA)
        await studio.publish("painter")

        assert mark(await served(studio)) == ("providers", OTHER, "painter")

    async def test_a_provider_that_is_gone_is_passed_over(
        self, studio: Studio, painter: Painter
    ) -> None:
        await begun(studio, overrides=TO_ADA)

        assert mark(await served(studio.with_providers(painter)))[2] == "painter"
