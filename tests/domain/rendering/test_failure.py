"""What follows when a provider fails."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from medici.adapters.providers.failure import FailureCode
from medici.adapters.providers.provider import (
    Artifact,
    Cost,
    Observation,
    Phase,
)
from medici.domain.rendering.work import DISPATCH
from medici.domain.routing.settings import OnModeration
from medici.jobs.models import Job, State
from tests.domain.rendering.renders import (
    PAID,
    REFUNDED,
    end_of,
    rendered,
    tries,
)
from tests.support.painters import PRICE, Painter, fails
from tests.support.studio import Studio


class TestFailure:
    @pytest.mark.parametrize("synchronous", [True, False])
    @pytest.mark.parametrize(
        "code", [FailureCode.AUTH, FailureCode.QUOTA, FailureCode.PROVIDER_FAILED]
    )
    async def test_goes_to_the_next_provider_at_once(
        self, studio: Studio, painter: Painter, code: FailureCode, synchronous: bool
    ) -> None:
        painter.synchronous = synchronous
        painter.script.submit.append(fails(code))

        job_id = await rendered(studio)

        assert await tries(studio, job_id) == [
            ("painter", "failed", code),
            ("sculptor", "succeeded", None),
        ]
        assert await end_of(studio, job_id) == ("succeeded", None, "sculptor")
        assert await studio.purse() == PAID

    @pytest.mark.parametrize(
        ("code", "most"),
        [
            (FailureCode.UNAVAILABLE, 3),
            (FailureCode.RATE_LIMITED, 3),
            (FailureCode.NO_OUTPUT, 2),
        ],
    )
    async def test_tries_the_same_provider_again_a_few_times(
        self, studio: Studio, painter: Painter, code: FailureCode, most: int
    ) -> None:
        painter.script.submit.extend([fails(code)] * 10)

        job_id = await rendered(studio)

        assert await tries(studio, job_id) == [("painter", "failed", code)] * most + [
            ("sculptor", "succeeded", None)
        ]
        assert set(painter.submissions.values()) == {1}  # each attempt is a reference of its own

    async def test_waits_as_long_as_the_provider_asks(
        self, studio: Studio, painter: Painter
    ) -> None:
        painter.script.submit.append(fails(FailureCode.RATE_LIMITED, retry_after=42))
        await studio.order()
        await studio.work()

        studio.clock.advance(timedelta(seconds=41))
        await studio.work()
        assert painter.verbs == ["submit"]

        studio.clock.advance(timedelta(seconds=1))
        await studio.work()
        assert painter.verbs == ["submit", "submit"]

    async def test_is_retried_by_the_one_job_that_sends(
        self, studio: Studio, painter: Painter
    ) -> None:
        painter.script.submit.append(fails(FailureCode.UNAVAILABLE))
        job_id = await studio.order()

        await studio.work()

        async with studio.database.reading() as session:
            (sending,) = await session.scalars(select(Job).where(Job.kind == DISPATCH.name))
        assert (sending.key, sending.state) == (str(job_id), State.READY)

    async def test_does_not_wait_longer_than_a_customer_would(
        self, studio: Studio, painter: Painter
    ) -> None:
        painter.script.submit.append(fails(FailureCode.RATE_LIMITED, retry_after=61))

        job_id = await rendered(studio)

        assert await end_of(studio, job_id) == ("succeeded", None, "sculptor")

    async def test_keeps_one_budget_of_retries_for_all_providers(
        self, studio: Studio, painter: Painter, sculptor: Painter
    ) -> None:
        third = Painter(name="third")
        studio = studio.with_providers(painter, sculptor, third)
        await studio.publish("painter", "sculptor", "third")
        for one in (painter, sculptor, third):
            one.script.submit.extend([fails(FailureCode.UNAVAILABLE)] * 10)

        job_id = await rendered(studio)

        assert [len(one.verbs) for one in (painter, sculptor, third)] == [3, 3, 1]
        assert await end_of(studio, job_id) == ("failed", "provider_dispatch_failed", "third")

    async def test_gives_the_price_back_when_nobody_delivers(
        self, studio: Studio, painter: Painter, sculptor: Painter
    ) -> None:
        for one in (painter, sculptor):
            one.script.submit.append(fails(FailureCode.QUOTA))

        job_id = await rendered(studio)

        job = await studio.job(job_id)
        assert await end_of(studio, job_id) == ("failed", "provider_dispatch_failed", "sculptor")
        assert job.error_message == "No provider delivered a picture."  # not the vendor's words
        assert (job.output_id, job.actual_cost_micros) == (None, None)
        assert await studio.purse() == REFUNDED
        assert (await studio.facts())[-4:] == [
            ("render_provider_attempt_failed", "failed"),
            ("render_provider_attempt_failed", "failed"),
            ("render_status_updated", "failed"),
            ("render_dispatch_failed", "failed"),
        ]

    async def test_of_the_input_stops_the_job(
        self, studio: Studio, painter: Painter, sculptor: Painter
    ) -> None:
        painter.script.submit.append(fails(FailureCode.INVALID_INPUT))

        job_id = await rendered(studio)

        assert await end_of(studio, job_id) == ("failed", "invalid_input", "painter")
        assert (sculptor.asked, await studio.purse()) == ([], REFUNDED)

    async def test_by_moderation_stops_the_job(
        self, studio: Studio, painter: Painter, sculptor: Painter
    ) -> None:
        painter.script.poll.append(Observation(phase=Phase.MODERATED, cost=Cost(amount_micros=7)))

        job_id = await rendered(studio)

        assert await end_of(studio, job_id) == ("moderated", "moderated", "painter")
        assert (sculptor.asked, await studio.purse()) == ([], REFUNDED)
        assert (await studio.job(job_id)).actual_cost_micros == 7  # a refusal may cost, too

    async def test_by_moderation_falls_back_where_the_route_says_so(
        self, studio: Studio, painter: Painter
    ) -> None:
        await studio.publish("painter", "sculptor", on_moderation=OnModeration.FALLBACK)
        painter.script.submit.append(fails(FailureCode.MODERATED))

        job_id = await rendered(studio)

        assert await end_of(studio, job_id) == ("succeeded", None, "sculptor")

    @pytest.mark.parametrize("synchronous", [True, False])
    async def test_to_bring_a_picture_is_tried_again_and_paid(
        self, studio: Studio, painter: Painter, synchronous: bool
    ) -> None:
        painter.synchronous = synchronous
        painter.script.fetch.extend([(), (Artifact(data=b"<html>", content_type="image/png"),)])

        job_id = await rendered(studio)

        assert await tries(studio, job_id) == [
            ("painter", "failed", "no_output"),
            ("painter", "failed", "no_output"),
            ("sculptor", "succeeded", None),
        ]
        assert (await studio.job(job_id)).actual_cost_micros == 3 * PRICE

    @pytest.mark.parametrize("phase", [Phase.FAILED, Phase.CANCELED])
    async def test_reported_at_a_look_falls_back(
        self, studio: Studio, painter: Painter, phase: Phase
    ) -> None:
        painter.script.poll.append(Observation(phase=phase))

        job_id = await rendered(studio)

        assert await tries(studio, job_id) == [
            ("painter", "failed", "provider_failed"),
            ("sculptor", "succeeded", None),
        ]
        assert not (await studio.attempts(job_id))[0].cost_uncertain

    async def test_that_ended_the_work_is_believed_at_once(
        self, studio: Studio, painter: Painter
    ) -> None:
        painter.script.poll.append(
            Observation(phase=Phase.FAILED, failure=fails(FailureCode.UNAVAILABLE))
        )

        job_id = await rendered(studio)

        assert await tries(studio, job_id) == [
            ("painter", "failed", "unavailable"),
            ("painter", "succeeded", None),
        ]

    async def test_of_a_provider_that_is_not_configured_any_more_falls_back(
        self, studio: Studio, sculptor: Painter
    ) -> None:
        job_id = await studio.order()

        await studio.with_providers(sculptor).finish()

        assert await tries(studio, job_id) == [
            ("painter", "failed", "auth"),
            ("sculptor", "succeeded", None),
        ]
