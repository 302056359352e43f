"""A render that its customer does not want any more."""

from uuid import UUID

import pytest

from medici.adapters.providers.failure import FailureCode
from medici.adapters.providers.provider import (
    CancelOutcome,
    Submission,
)
from medici.adapters.providers.request import RenderRequest
from medici.domain.rendering.models import AttemptState, RenderState
from tests.domain.rendering.renders import PAID, REFUNDED, rendered
from tests.support.painters import PRICE, Painter, fails
from tests.support.studio import Studio


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
