"""One render from order to end, through providers that behave and providers that do not."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.provider import (
    Artifact,
    CancelOutcome,
    Cost,
    CostSource,
    Observation,
    Phase,
    Recovery,
    Submission,
)
from medici.adapters.providers.request import RenderRequest
from medici.domain.pictures.queries import pictures_by_id
from medici.domain.rendering.models import AttemptState, RenderState
from medici.domain.rendering.rules import ATTEMPT_LIFETIME
from medici.domain.rendering.work import DISPATCH
from medici.domain.routing.settings import OnModeration, OnUncertain
from medici.jobs.models import Job, State
from tests.support.painters import ESTIMATE, PRICE, RUNNING, Painter, fails
from tests.support.studio import Studio

FREE_PER_DAY = 3
START = 100 + FREE_PER_DAY
PRICE_IN_CREDITS = 2  # of a final picture on the free plan
PAID, REFUNDED = (START - PRICE_IN_CREDITS, 0), (START, 0)


async def rendered(studio: Studio) -> UUID:
    """Order a picture and let everything happen that will."""
    job_id = await studio.order()
    await studio.finish()
    return job_id


async def end_of(studio: Studio, job_id: UUID) -> tuple[str, str | None, str]:
    """Return how a job ended: state, code, and the provider it ended at."""
    job = await studio.job(job_id)
    assert job.finished_at is not None
    return job.state.value, job.error_code, job.provider


async def tries(studio: Studio, job_id: UUID) -> list[tuple[str, str, str | None]]:
    return [
        (attempt.provider, attempt.state.value, attempt.failure_code)
        for attempt in await studio.attempts(job_id)
    ]


class TestDelivery:
    async def test_queues_runs_and_arrives(self, studio: Studio, painter: Painter) -> None:
        painter.script.submit.append(Observation(phase=Phase.QUEUED, position=3))
        painter.script.poll.extend([Observation(phase=Phase.QUEUED, position=1), RUNNING])
        job_id = await studio.order()
        seen = []

        while not (job := await studio.job(job_id)).state.is_terminal:
            seen.append((job.state.value, job.queue_position, job.progress))
            await studio.work()
            studio.clock.advance(timedelta(seconds=12))

        assert list(dict.fromkeys(seen)) == [
            ("queued", None, 0),
            ("running", 3, 0),
            ("running", 1, 0),
            ("running", None, 50),
        ]
        assert (job.state, job.progress, job.queue_position) == (RenderState.SUCCEEDED, 100, None)
        assert painter.verbs == ["submit", "poll", "poll", "poll", "fetch"]
        assert await studio.purse() == PAID

    async def test_holds_the_price_until_the_picture_is_there(self, studio: Studio) -> None:
        job_id = await studio.order()

        assert await studio.purse() == (START - PRICE_IN_CREDITS, PRICE_IN_CREDITS)
        await studio.work()
        assert await studio.purse() == (START - PRICE_IN_CREDITS, PRICE_IN_CREDITS)
        await studio.finish()
        assert await studio.purse() == PAID
        assert (await studio.job(job_id)).credits == PRICE_IN_CREDITS

    async def test_stores_a_clean_picture_of_the_customers(self, studio: Studio) -> None:
        job_id = await rendered(studio)

        job = await studio.job(job_id)
        assert job.output_id is not None
        async with studio.database.reading() as session:
            picture = (await pictures_by_id(session, [job.output_id]))[job.output_id]
        stored = await studio.resources.storage.get(picture.key)
        assert (picture.owner_id, picture.purpose, picture.content_type) == (
            "ada",
            "result",
            "image/jpeg",
        )
        assert (picture.width, picture.height, picture.size_bytes) == (32, 24, len(stored))
        assert stored.startswith(b"\xff\xd8\xff")

    async def test_takes_the_picture_of_a_provider_that_works_while_we_wait(
        self, studio: Studio, painter: Painter
    ) -> None:
        painter.synchronous = True

        job_id = await rendered(studio)

        assert await end_of(studio, job_id) == ("succeeded", None, "painter")
        assert painter.verbs == ["submit"]
        assert await studio.purse() == PAID

    async def test_asks_in_the_words_of_the_order(self, studio: Studio, painter: Painter) -> None:
        job_id = await rendered(studio)

        (request,) = painter.requests
        (attempt,) = await studio.attempts(job_id)
        assert request.reference == str(attempt.id)
        assert (request.model, request.style_id, request.max_pixels) == (
            "painter-large",
            "modern",
            1_200_000,
        )
        assert request.prompt.endswith(", restyle the room")
        assert request.mask is None

    @pytest.mark.parametrize("synchronous", [True, False])
    async def test_books_what_the_provider_charges(
        self, studio: Studio, painter: Painter, synchronous: bool
    ) -> None:
        painter.synchronous = synchronous

        job_id = await rendered(studio)

        (attempt,) = await studio.attempts(job_id)
        job = await studio.job(job_id)
        assert (attempt.estimated_cost_micros, attempt.actual_cost_micros) == (ESTIMATE, PRICE)
        assert (job.estimated_cost_micros, job.actual_cost_micros) == (ESTIMATE, PRICE)
        assert not attempt.cost_uncertain

    @pytest.mark.parametrize("synchronous", [True, False])
    async def test_books_the_estimate_where_the_provider_says_nothing(
        self, studio: Studio, painter: Painter, synchronous: bool
    ) -> None:
        painter.synchronous = synchronous
        silent = Observation(phase=Phase.SUCCEEDED)
        (painter.script.submit if synchronous else painter.script.poll).append(silent)

        job_id = await rendered(studio)

        (attempt,) = await studio.attempts(job_id)
        assert (attempt.actual_cost_micros, attempt.cost_source) == (
            ESTIMATE,
            CostSource.PRICE_TABLE,
        )
        assert (await studio.job(job_id)).actual_cost_micros == ESTIMATE

    async def test_leaves_facts(self, studio: Studio) -> None:
        await rendered(studio)

        assert await studio.facts() == [
            ("render_dispatched", "queued"),
            ("render_status_updated", "in_progress"),
            ("render_status_updated", "completed"),
        ]


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


class TestSilence:
    async def test_is_borne_for_a_few_looks(self, studio: Studio, painter: Painter) -> None:
        painter.script.poll.extend([fails(FailureCode.UNAVAILABLE)] * 2)
        painter.script.fetch.append(fails(FailureCode.TIMEOUT_AMBIGUOUS))

        job_id = await studio.order()
        for _ in range(6):
            await studio.work()
            studio.clock.advance(timedelta(minutes=2))

        assert await end_of(studio, job_id) == ("succeeded", None, "painter")
        assert set(painter.submissions.values()) == {1}
        assert (await studio.job(job_id)).actual_cost_micros == PRICE

    async def test_without_end_leaves_the_outcome_uncertain(
        self, studio: Studio, painter: Painter, sculptor: Painter
    ) -> None:
        painter.script.poll.extend([fails(FailureCode.UNAVAILABLE)] * 20)

        job_id = await rendered(studio)

        (attempt,) = await studio.attempts(job_id)
        assert await end_of(studio, job_id) == ("failed", "provider_outcome_uncertain", "painter")
        assert (attempt.cost_uncertain, attempt.estimated_cost_micros) == (True, ESTIMATE)
        assert set(painter.submissions.values()) == {1}
        assert (sculptor.asked, await studio.purse()) == ([], REFUNDED)

    async def test_past_the_deadline_ends_the_attempt(
        self, studio: Studio, painter: Painter
    ) -> None:
        painter.script.poll.extend([RUNNING] * 3)
        job_id = await studio.order()
        await studio.work()
        studio.clock.advance(ATTEMPT_LIFETIME - timedelta(seconds=1))
        await studio.work()
        assert (await studio.job(job_id)).state is RenderState.RUNNING

        studio.clock.advance(timedelta(seconds=12))
        await studio.finish()

        assert await tries(studio, job_id) == [
            ("painter", "failed", "provider_failed"),
            ("sculptor", "succeeded", None),
        ]
        assert painter.verbs == ["submit", "poll", "poll", "cancel"]  # it need not go on
        assert (await studio.attempts(job_id))[0].cost_uncertain

    async def test_of_everybody_expires_the_job(
        self, studio: Studio, painter: Painter, sculptor: Painter
    ) -> None:
        painter.script.poll.extend([RUNNING] * 10)
        sculptor.script.poll.append(Observation(phase=Phase.EXPIRED))

        job_id = await rendered(studio)

        assert await end_of(studio, job_id) == ("expired", "expired", "sculptor")
        assert await studio.purse() == REFUNDED

    async def test_of_a_provider_that_left_with_our_work_is_uncertain(
        self, studio: Studio, painter: Painter, sculptor: Painter
    ) -> None:
        job_id = await studio.order()
        await studio.work()

        await studio.with_providers(sculptor).finish()

        assert await end_of(studio, job_id) == ("failed", "provider_outcome_uncertain", "painter")
        assert (sculptor.asked, await studio.purse()) == ([], REFUNDED)


class TestLostAnswer:
    async def test_is_found_again(self, studio: Studio, painter: Painter) -> None:
        painter.loses_answers = 1

        job_id = await rendered(studio)

        assert await tries(studio, job_id) == [("painter", "succeeded", None)]
        assert painter.verbs == ["submit", "recover", "poll", "fetch"]
        assert await studio.purse() == PAID

    async def test_of_work_that_was_not_taken_is_sent_anew(
        self, studio: Studio, painter: Painter
    ) -> None:
        painter.script.submit.append(fails(FailureCode.TIMEOUT_AMBIGUOUS))

        job_id = await rendered(studio)

        assert await tries(studio, job_id) == [
            ("painter", "failed", "unavailable"),
            ("painter", "succeeded", None),
        ]
        assert set(painter.submissions.values()) == {1}

    @pytest.mark.parametrize("said", [Recovery.UNKNOWN, fails(FailureCode.AUTH)])
    async def test_that_nobody_can_find_fails_and_refunds(
        self,
        studio: Studio,
        painter: Painter,
        sculptor: Painter,
        said: Recovery | ProviderFailure,
    ) -> None:
        painter.loses_answers = 1
        painter.script.recover.append(said)

        job_id = await rendered(studio)

        (attempt,) = await studio.attempts(job_id)
        assert await end_of(studio, job_id) == ("failed", "provider_outcome_uncertain", "painter")
        assert (attempt.failure_code, attempt.cost_uncertain) == ("timeout_ambiguous", True)
        assert attempt.estimated_cost_micros == ESTIMATE
        assert painter.verbs == ["submit", "recover"]
        assert (sculptor.asked, await studio.purse()) == ([], REFUNDED)

    async def test_falls_back_where_the_route_says_so(
        self, studio: Studio, painter: Painter
    ) -> None:
        await studio.publish("painter", "sculptor", on_uncertain=OnUncertain.FALLBACK)
        painter.loses_answers = 1
        painter.script.recover.append(Recovery.UNKNOWN)

        job_id = await rendered(studio)

        first, second = await studio.attempts(job_id)
        assert await end_of(studio, job_id) == ("succeeded", None, "sculptor")
        assert (first.cost_uncertain, second.cost_uncertain) == (True, False)
        assert await studio.purse() == PAID  # charged once, whatever it cost us

    async def test_is_asked_for_until_the_provider_answers(
        self, studio: Studio, painter: Painter
    ) -> None:
        painter.loses_answers = 1
        painter.script.recover.append(fails(FailureCode.UNAVAILABLE))

        job_id = await rendered(studio)

        assert await end_of(studio, job_id) == ("succeeded", None, "painter")
        assert painter.verbs == ["submit", "recover", "recover", "poll", "fetch"]

    async def test_is_given_up_when_the_provider_stays_away(
        self, studio: Studio, painter: Painter
    ) -> None:
        painter.loses_answers = 1
        painter.script.recover.extend([fails(FailureCode.UNAVAILABLE)] * 10)

        job_id = await rendered(studio)

        assert await end_of(studio, job_id) == ("failed", "provider_outcome_uncertain", "painter")
        assert painter.verbs == ["submit", "recover", "recover", "recover"]
        assert await studio.purse() == REFUNDED


class TestCancel:
    async def test_before_anything_was_sent_asks_nobody(
        self, studio: Studio, painter: Painter
    ) -> None:
        job_id = await studio.order()

        assert await studio.cancel(job_id)
        assert await studio.purse() == REFUNDED
        await studio.finish()

        assert (await studio.job(job_id)).state is RenderState.CANCELED
        assert (painter.asked, await studio.purse()) == ([], REFUNDED)

    async def test_of_running_work_tells_the_provider(
        self, studio: Studio, painter: Painter
    ) -> None:
        job_id = await studio.order()
        await studio.work()

        assert await studio.cancel(job_id)
        await studio.finish()

        (attempt,) = await studio.attempts(job_id)
        assert (attempt.state, attempt.cost_uncertain) == (AttemptState.CANCELED, False)
        assert painter.verbs == ["submit", "cancel"]
        assert await studio.purse() == REFUNDED

    @pytest.mark.parametrize(
        "said",
        [CancelOutcome.TOO_LATE, CancelOutcome.UNSUPPORTED, fails(FailureCode.PROVIDER_FAILED)],
    )
    async def test_that_comes_too_late_may_cost(
        self, studio: Studio, painter: Painter, said: CancelOutcome | Exception
    ) -> None:
        painter.script.cancel.append(said)
        job_id = await studio.order()
        await studio.work()

        await studio.cancel(job_id)
        await studio.finish()

        (attempt,) = await studio.attempts(job_id)
        assert (attempt.state, attempt.cost_uncertain) == (AttemptState.CANCELED, True)

    async def test_is_repeated_until_the_provider_listens(
        self, studio: Studio, painter: Painter
    ) -> None:
        painter.script.cancel.extend([fails(FailureCode.UNAVAILABLE)] * 2)
        job_id = await studio.order()
        await studio.work()

        await studio.cancel(job_id)
        await studio.finish()

        assert (await studio.attempts(job_id))[0].state is AttemptState.CANCELED
        assert painter.verbs == ["submit", "cancel", "cancel", "cancel"]

    async def test_closes_the_attempt_at_a_provider_that_is_gone(
        self, studio: Studio, sculptor: Painter
    ) -> None:
        job_id = await studio.order()
        await studio.work()
        await studio.cancel(job_id)

        await studio.with_providers(sculptor).finish()

        assert (await studio.attempts(job_id))[0].state is AttemptState.CANCELED

    async def test_while_the_provider_works_books_its_picture_and_shows_none(
        self, studio: Studio, painter: Painter
    ) -> None:
        painter.synchronous = True
        job_id = await studio.order()
        uploaded = await studio.stored_keys()
        canceling = Interruption(studio, job_id)
        studio = studio.with_providers(canceling)

        await studio.finish()

        (attempt,) = await studio.attempts(job_id)
        job = await studio.job(job_id)
        assert (job.state, job.output_id) == (RenderState.CANCELED, None)
        assert (attempt.state, job.actual_cost_micros) == (AttemptState.SUCCEEDED, PRICE)
        assert await studio.stored_keys() == uploaded  # nothing lies about that no row names
        assert await studio.purse() == REFUNDED

    async def test_while_work_is_handed_over_withdraws_it(
        self, studio: Studio, painter: Painter
    ) -> None:
        job_id = await studio.order()
        canceling = Interruption(studio, job_id, synchronous=False)

        await studio.with_providers(canceling).finish()

        (attempt,) = await studio.attempts(job_id)
        assert (attempt.state, canceling.verbs) == (AttemptState.CANCELED, ["submit", "cancel"])

    async def test_happens_once(self, studio: Studio) -> None:
        job_id = await studio.order()

        assert [await studio.cancel(job_id), await studio.cancel(job_id)] == [True, False]

    async def test_comes_too_late_after_the_picture(self, studio: Studio) -> None:
        job_id = await rendered(studio)

        assert not await studio.cancel(job_id)
        assert await studio.purse() == PAID


class Interruption(Painter):
    """A painter whose customer cancels while it works."""

    def __init__(self, studio: Studio, job_id: UUID, *, synchronous: bool = True) -> None:
        super().__init__(synchronous=synchronous)
        self._studio = studio
        self._job_id = job_id

    async def submit(self, request: RenderRequest) -> Submission:
        await self._studio.cancel(self._job_id)
        return await super().submit(request)
