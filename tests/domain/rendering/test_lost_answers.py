"""What follows when a provider falls silent, or its answer is lost."""

from datetime import timedelta

import pytest

from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.provider import (
    Observation,
    Phase,
    Recovery,
)
from medici.domain.rendering.models import RenderState
from medici.domain.rendering.rules import ATTEMPT_LIFETIME
from medici.domain.routing.settings import OnUncertain
from tests.domain.rendering.renders import (
    PAID,
    REFUNDED,
    end_of,
    rendered,
    tries,
)
from tests.support.painters import ESTIMATE, PRICE, RUNNING, Painter, fails
from tests.support.studio import Studio


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
