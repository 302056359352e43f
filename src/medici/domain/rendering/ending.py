"""How one run of a render comes to its end, between the last answer and the last transaction."""

import asyncio
from random import SystemRandom

from medici.adapters.providers.failure import FailureCode, ProviderFailure, WorkExpired
from medici.adapters.providers.provider import (
    Artifact,
    Cost,
    Observation,
    Phase,
    Provider,
    Submission,
)
from medici.domain.identity.owner import Owner
from medici.domain.pictures.service import PictureFacts
from medici.domain.rendering.outputs import OutputKeeper
from medici.domain.rendering.rows import AttemptRow, JobRow
from medici.domain.rendering.service import settle
from medici.domain.rendering.service.delivering import Delivery, deliver_all
from medici.domain.rendering.submission import PASSING
from medici.jobs.patience import Patience
from medici.jobs.run import Run
from medici.kernel.db.errors import DatabaseUnavailable
from medici.resources import Resources

CHANCE = SystemRandom()
DELIVERY_TRIES = 8  # within about the time that a lease lasts


class Ending:
    """Keeps the picture that a provider made, delivers it, or fails the attempt.

    Whatever it writes marks the run's job done in the same transaction.
    """

    def __init__(self, run: Run[Resources]) -> None:
        self._run = run
        self._resources = run.resources
        self._keeper = OutputKeeper(storage=run.resources.storage, images=run.resources.images)

    async def conclude(
        self, job: JobRow, attempt: AttemptRow, provider: Provider, seen: Submission
    ) -> None:
        """Deliver what finished work brought, or fail its attempt; either way its cost is booked.

        Raises:
            ProviderFailure: the picture cannot be fetched now (one of ``PASSING``).
        """
        failure = _verdict(seen.observation)
        if failure is None:
            try:
                facts = await self._kept(job, attempt, await _artifacts(provider, seen))
            except ProviderFailure as unusable:
                if unusable.code in PASSING:
                    raise
                failure = unusable
            else:
                await self._deliver(attempt, seen, facts)
                return
        await self.fail(attempt, failure, cost=seen.observation.cost)

    async def _kept(
        self, job: JobRow, attempt: AttemptRow, artifacts: tuple[Artifact, ...]
    ) -> PictureFacts:
        if not artifacts:
            raise ProviderFailure(FailureCode.NO_OUTPUT, "the provider answered without a picture")
        owner = Owner.user(job.user_id)
        return await self._keeper.keep(artifacts[0], owner=owner, picture_id=attempt.id)

    async def _deliver(self, attempt: AttemptRow, seen: Submission, facts: PictureFacts) -> None:
        delivery = Delivery(
            job_id=attempt.render_job_id,
            attempt_id=attempt.id,
            facts=facts,
            ref=seen.ref,
            observation=seen.observation,
            now=self._run.now(),
        )
        await self._booked(delivery)
        self._measure(attempt, "succeeded")

    async def _booked(self, delivery: Delivery) -> None:
        """Deliver through a short outage: what was paid for is not lost to a passing one."""
        patience = Patience(CHANCE.random)
        for _ in range(DELIVERY_TRIES - 1):
            try:
                await self._run.take(deliver_all, delivery, finish=True)
            except DatabaseUnavailable:
                await asyncio.sleep(patience.next_seconds())
            else:
                return
        await self._run.take(deliver_all, delivery, finish=True)

    async def fail(
        self,
        attempt: AttemptRow,
        failure: ProviderFailure,
        *,
        cost: Cost | None = None,
        unless_found: bool = False,
    ) -> None:
        """Close an attempt; ``unless_found`` spares one whose work a webhook has just named."""
        async with self._run.transaction() as session:
            if unless_found and await settle.is_found(session, attempt.id):
                return
            await settle.fail_attempt(
                session,
                attempt.render_job_id,
                attempt.id,
                failure,
                cost=cost,
                chance=CHANCE.random(),
                now=self._run.now(),
            )
            await self._run.finish(session)
        self._measure(attempt, failure.code)

    def _measure(self, attempt: AttemptRow, outcome: str) -> None:
        seconds = (self._run.now() - attempt.created_at).total_seconds()
        self._resources.metrics.attempt_ended(attempt.provider, outcome=outcome, seconds=seconds)


async def _artifacts(provider: Provider, seen: Submission) -> tuple[Artifact, ...]:
    if seen.artifacts or provider.capabilities().synchronous:
        return seen.artifacts
    return await provider.fetch(seen.ref)


def _verdict(observation: Observation) -> ProviderFailure | None:
    """Return how work failed that has ended; None where there is a picture."""
    if observation.failure is not None:
        return observation.failure
    match observation.phase:
        case Phase.MODERATED:
            return ProviderFailure(FailureCode.MODERATED, "the provider's policy refused it")
        case Phase.EXPIRED:
            return WorkExpired("the provider dropped the work")
        case Phase.FAILED | Phase.CANCELED:
            return ProviderFailure(FailureCode.PROVIDER_FAILED, "the provider gave up")
    return None
