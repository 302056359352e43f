"""Outcomes that nobody knows yet, providers that are ill or full, and renders that fell out."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete

from medici.adapters.providers.failure import FailureCode
from medici.adapters.providers.provider import Recovery
from medici.adapters.providers.request import Operation
from medici.domain.rendering.errors import AttemptNotFound, TooEarly
from medici.domain.rendering.models import RenderState
from medici.domain.rendering.pipeline import Pipeline
from medici.domain.rendering.rules import WORD_PATIENCE
from medici.domain.rendering.service.news import take_news
from medici.domain.rendering.tasks import SWEEPING
from medici.domain.rendering.wanted import watched_all
from medici.domain.routing import service as routing
from medici.domain.routing.settings import InFlightCap, OnUncertain
from medici.jobs.claims import Claimant, claim_asked_by
from medici.jobs.models import Job
from medici.jobs.queue import enqueue
from medici.jobs.run import Run
from medici.kernel.ids import new_id
from medici.resources import Resources
from tests.support.painters import ESTIMATE, PRICE, RUNNING, Painter, fails
from tests.support.studio import Studio

PAID, REFUNDED, HELD = (101, 0), (103, 0), (101, 2)


async def lost(studio: Studio, painter: Painter) -> UUID:
    """Order a picture whose submission is taken and whose answer is lost; nobody can be asked."""
    painter.loses_answers = 1
    painter.script.recover.append(Recovery.AWAITED)
    job_id = await studio.order()
    await studio.work()
    return job_id


async def claimed(studio: Studio) -> Run[Resources]:
    """Take the next job that is due, as a worker does."""
    claimant = Claimant(worker=new_id(), lease_seconds=60)
    async with studio.database.transaction() as session:
        claim = await claim_asked_by(session, claimant, now=studio.clock())
    assert claim is not None
    return Run(
        resources=studio.resources, database=studio.database, claim=claim, clock=studio.clock
    )


async def told(studio: Studio, job_id: UUID, *, request_id: str | None = None) -> None:
    """Have the provider's webhook of a job's last attempt arrive."""
    attempt = (await studio.attempts(job_id))[-1]
    ref = {"id": str(attempt.id), "request_id": request_id or f"vendor-{attempt.id}"}
    async with studio.database.transaction() as session:
        await take_news(
            session, provider="painter", attempt_id=attempt.id, ref=ref, now=studio.clock()
        )


class TestLostAnswer:
    async def test_stays_open_and_visible_while_the_provider_may_call(
        self, studio: Studio, painter: Painter
    ) -> None:
        job_id = await lost(studio, painter)

        assert (await studio.job(job_id)).state is RenderState.UNCERTAIN
        assert await studio.purse() == HELD

    async def test_heals_itself_when_the_provider_calls(
        self, studio: Studio, painter: Painter
    ) -> None:
        job_id = await lost(studio, painter)

        await told(studio, job_id)
        await studio.finish()

        job, attempt = await studio.job(job_id), (await studio.attempts(job_id))[-1]
        assert (job.state, job.actual_cost_micros) == (RenderState.SUCCEEDED, PRICE)
        assert attempt.cost_uncertain is False
        assert sum(painter.taken.values()) == 1
        assert await studio.purse() == PAID

    async def test_is_refunded_and_booked_when_nobody_calls(
        self, studio: Studio, painter: Painter
    ) -> None:
        job_id = await lost(studio, painter)

        studio.clock.advance(WORD_PATIENCE)
        await studio.work()

        job, attempt = await studio.job(job_id), (await studio.attempts(job_id))[-1]
        assert (job.state, job.error_code) == (RenderState.FAILED, "provider_outcome_uncertain")
        assert (attempt.cost_uncertain, attempt.estimated_cost_micros) == (True, ESTIMATE)
        assert sum(painter.taken.values()) == 1
        assert await studio.purse() == REFUNDED

    async def test_is_not_given_up_when_the_provider_calls_at_the_last_moment(
        self, studio: Studio, painter: Painter
    ) -> None:
        job_id = await lost(studio, painter)
        (attempt,) = await studio.attempts(job_id)
        studio.clock.advance(WORD_PATIENCE)
        run = await claimed(studio)
        watched = await run.look(watched_all, attempt.id)

        await told(studio, job_id)  # after the look at the row, before its end
        await Pipeline(run).give_up_waiting(watched)

        assert (await studio.job(job_id)).state is RenderState.RUNNING

    async def test_goes_on_at_once_where_the_route_says_so(
        self, studio: Studio, painter: Painter, sculptor: Painter
    ) -> None:
        await studio.publish("painter", "sculptor", on_uncertain=OnUncertain.FALLBACK)

        job_id = await lost(studio, painter)
        await studio.finish()

        first, second = await studio.attempts(job_id)
        assert (first.cost_uncertain, second.provider) == (True, "sculptor")
        assert (await studio.job(job_id)).state is RenderState.SUCCEEDED

    async def test_is_told_to_stop_when_the_customer_has_canceled_meanwhile(
        self, studio: Studio, painter: Painter
    ) -> None:
        job_id = await lost(studio, painter)
        await studio.cancel(job_id)

        await told(studio, job_id)
        await studio.finish()

        assert painter.verbs[-1] == "cancel"
        assert await studio.purse() == REFUNDED


class TestNews:
    async def test_brings_the_next_look_forward(self, studio: Studio, painter: Painter) -> None:
        painter.script.poll.append(RUNNING)
        job_id = await studio.order()
        await studio.work()  # sent; the next look waits

        await told(studio, job_id)
        await studio.work()

        assert "poll" in painter.verbs

    async def test_of_other_work_is_refused(self, studio: Studio, painter: Painter) -> None:
        job_id = await studio.order()
        await studio.work()

        with pytest.raises(AttemptNotFound):
            await told(studio, job_id, request_id="somebody-elses")

    async def test_that_overtakes_the_submission_is_to_come_again(
        self, studio: Studio, painter: Painter
    ) -> None:
        job_id = await studio.order()
        painter.script.submit.append(fails(FailureCode.UNAVAILABLE))
        await studio.work()
        attempt = (await studio.attempts(job_id))[-1]
        async with studio.database.transaction() as session:
            row = await session.get_one(type(attempt), attempt.id)
            row.state, row.finished_at = type(row.state).SENDING, None

        with pytest.raises(TooEarly):
            await told(studio, job_id)

    async def test_twice_is_one_picture(self, studio: Studio, painter: Painter) -> None:
        job_id = await lost(studio, painter)

        await told(studio, job_id)
        await told(studio, job_id)
        await studio.finish()
        await told(studio, job_id)
        await studio.finish()

        assert painter.verbs.count("fetch") == 1
        assert await studio.purse() == PAID


class TestHealth:
    async def test_leaves_a_provider_alone_whose_circuit_is_open(
        self, studio: Studio, painter: Painter, sculptor: Painter
    ) -> None:
        painter.script.submit.append(fails(FailureCode.AUTH))

        for _ in range(4):
            await studio.order()
            await studio.work()

        assert sum(painter.submissions.values()) == 1
        assert sum(sculptor.submissions.values()) == 4

    async def test_tries_it_again_by_one_job_once_the_pause_is_over(
        self, studio: Studio, painter: Painter, sculptor: Painter
    ) -> None:
        painter.script.submit.append(fails(FailureCode.AUTH))
        await studio.order()
        await studio.work()
        studio.clock.advance(timedelta(minutes=10))

        for _ in range(2):
            await studio.order()
        await studio.work()

        assert sum(painter.submissions.values()) == 2

    async def test_ends_a_job_for_which_nobody_is_left(
        self, studio: Studio, painter: Painter
    ) -> None:
        await studio.publish("painter")
        async with studio.database.transaction() as session:
            await routing.note_failure(
                session,
                fails(FailureCode.QUOTA),
                provider="painter",
                operation=Operation.RESTYLE,
                now=studio.clock(),
            )

        job_id = await studio.order()
        await studio.work()

        job = await studio.job(job_id)
        assert (job.state, job.error_code) == (RenderState.FAILED, "provider_dispatch_failed")
        assert await studio.purse() == REFUNDED


class TestRoom:
    async def test_goes_to_the_next_provider_when_one_is_full(
        self, studio: Studio, painter: Painter, sculptor: Painter
    ) -> None:
        await studio.publish(
            "painter", "sculptor", in_flight_caps={"painter": InFlightCap(total=2)}
        )
        painter.script.poll.extend([RUNNING] * 20)
        for _ in range(4):
            await studio.order()

        await studio.work()

        assert len(painter.submissions) == 2
        assert len(sculptor.submissions) == 2

    async def test_waits_for_room_where_nobody_else_can(
        self, studio: Studio, painter: Painter
    ) -> None:
        await studio.publish(
            "painter", in_flight_caps={"painter": InFlightCap(by_operation={Operation.RESTYLE: 1})}
        )
        first, second = await studio.order(), await studio.order()
        await studio.work()
        waiting = [(await studio.job(job)).state for job in (first, second)]

        await studio.finish()

        assert sorted(waiting) == [RenderState.QUEUED, RenderState.RUNNING]
        ends = {(await studio.job(job)).state for job in (first, second)}
        assert ends == {RenderState.SUCCEEDED}


class TestRetries:
    @pytest.mark.parametrize(("allowed", "sent"), [(0, 1), (1, 2), (5, 3)])
    async def test_are_bounded_by_the_settings_and_by_two(
        self, studio: Studio, painter: Painter, allowed: int, sent: int
    ) -> None:
        await studio.publish("painter", max_retries=allowed)
        painter.script.submit.extend([fails(FailureCode.UNAVAILABLE)] * 9)

        await studio.order()
        await studio.finish()

        assert len(painter.submissions) == sent


class TestSweep:
    async def test_puts_renders_that_fell_out_of_the_queue_back(
        self, studio: Studio, painter: Painter
    ) -> None:
        unsent, running = await studio.order(), await studio.order()
        async with studio.database.transaction() as session:
            await session.execute(delete(Job))
        studio.clock.advance(timedelta(seconds=61))

        async with studio.database.transaction() as session:
            await enqueue(session, SWEEPING.kind, now=studio.clock(), args={})
        await studio.finish()

        ends = {(await studio.job(job)).state for job in (unsent, running)}
        assert ends == {RenderState.SUCCEEDED}
        assert max(painter.submissions.values()) == 1
