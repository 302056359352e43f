"""One render from order to picture, through a provider that behaves."""

from datetime import timedelta

import pytest

from medici.adapters.providers.provider import (
    CostSource,
    Observation,
    Phase,
)
from medici.domain.pictures.queries import pictures_by_id
from medici.domain.rendering.models import RenderState
from tests.domain.rendering.renders import (
    PAID,
    PRICE_IN_CREDITS,
    START,
    end_of,
    rendered,
)
from tests.support.painters import ESTIMATE, PRICE, RUNNING, Painter
from tests.support.studio import Studio


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
