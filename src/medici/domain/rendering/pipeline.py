"""The way of one render through a provider, between its transactions."""

from contextlib import suppress
from random import SystemRandom
from uuid import UUID

from medici.adapters.providers.failure import FailureCode, ProviderFailure, WorkExpired
from medici.adapters.providers.provider import (
    CancelOutcome,
    Cost,
    Observation,
    Provider,
    Submission,
)
from medici.adapters.providers.request import RenderRequest
from medici.domain.rendering.draft import Draft
from medici.domain.rendering.ending import Ending
from medici.domain.rendering.errors import ProviderSilent
from medici.domain.rendering.inputs import InputReader
from medici.domain.rendering.rows import AttemptRow
from medici.domain.rendering.service import settle
from medici.domain.rendering.service.beginning import Beginning, Begun, Estimate, Vendors, begin_all
from medici.domain.rendering.service.choosing import Wait
from medici.domain.rendering.service.following import Acceptance, accept_all
from medici.domain.rendering.service.losing import await_word
from medici.domain.rendering.submission import PASSING, WordAwaited, submitted
from medici.domain.rendering.wanted import Watched, wanted_all
from medici.jobs.run import Run
from medici.resources import Resources

CHANCE = SystemRandom()


class Pipeline:
    """Takes one run of background work through its network calls.

    What ends a run marks its job done in the same transaction, so a crash leaves both or neither.
    """

    def __init__(self, run: Run[Resources]) -> None:
        self._run = run
        self._resources = run.resources
        self._reader = InputReader(
            storage=run.resources.storage,
            outgoing=run.resources.outgoing,
            images=run.resources.images,
        )
        self._ending = Ending(run)

    async def draft(self, job_id: UUID) -> Draft | None:
        """Read the job and its pictures; None when it has ended.

        Raises:
            InputUnusable: a picture cannot be had.
        """
        wanted = await self._run.look(wanted_all, job_id)
        if wanted is None:
            return None
        image = await self._reader.read(wanted.image)
        mask = await self._reader.read(wanted.mask) if wanted.mask else None
        return Draft(job=wanted.job, image=image, mask=mask)

    def _estimate(self, draft: Draft) -> Estimate:
        """Return how to tell what an attempt at the draft will cost."""

        def cost(attempt: AttemptRow) -> Cost:
            provider = self._resources.providers.by_name.get(attempt.provider)
            if provider is None:
                return Cost(amount_micros=0)
            return provider.estimate_cost(self._request(draft, attempt))

        return cost

    async def begin(self, draft: Draft) -> Begun | Wait | None:
        """Store the intent to send the draft, as ``begin_all`` does.

        Raises:
            NobodyLeft: no provider of the route can be asked, now or soon.
        """
        beginning = Beginning(
            job_id=draft.job.id,
            vendors=Vendors.of(self._resources.providers),
            estimate=self._estimate(draft),
            now=self._run.now(),
        )
        return await self._run.take(begin_all, beginning)

    async def send(self, draft: Draft, begun: Begun) -> None:
        """Hand the work over and store what came of it.

        Raises:
            ProviderSilent: an earlier answer was lost and the provider cannot be asked now.
        """
        attempt = begun.attempt
        try:
            provider = self._provider(attempt, touched=begun.resumed)
            submission = await submitted(
                provider,
                self._request(draft, attempt),
                resumed=begun.resumed,
                last_chance=self._run.last_attempt,
            )
        except WordAwaited as lost:
            await self._await_word(attempt, lost)
            return
        except ProviderFailure as failure:
            await self._ending.fail(attempt, failure)
            return
        if submission.artifacts or provider.capabilities().synchronous:
            await self._ending.conclude(begun.job, attempt, provider, submission)
        else:
            await self._follow(attempt, submission)

    async def give_up_waiting(self, watched: Watched) -> None:
        """Close an attempt whose answer was lost and of which no webhook told."""
        lost = ProviderFailure(FailureCode.TIMEOUT_AMBIGUOUS, "the answer was lost, nobody called")
        await self._ending.fail(watched.attempt, lost, unless_found=True)

    async def look(self, watched: Watched) -> Observation | None:
        """Ask how far the work is; None once it has been concluded.

        Raises:
            ProviderSilent: no answer this time; the next look may have one.
        """
        attempt = watched.attempt
        try:
            provider = self._provider(attempt, touched=True)
            observation = await provider.poll(attempt.ref or {})
            if observation.phase.is_terminal:
                seen = Submission(ref=attempt.ref or {}, observation=observation)
                await self._ending.conclude(watched.job, attempt, provider, seen)
                return None
        except ProviderFailure as failure:
            await self._ending.fail(attempt, self._verdict_of_silence(attempt, failure))
            return None
        if self._overdue(attempt):
            await self._stop(provider, attempt)
            await self._ending.fail(attempt, WorkExpired("no result before the deadline"))
            return None
        return observation

    async def withdraw(self, watched: Watched) -> None:
        """Tell the provider that nobody waits for this picture any more.

        Raises:
            ProviderSilent: it does not listen now.
        """
        attempt = watched.attempt
        if not attempt.state.is_open or attempt.ref is None:
            return
        outcome = await self._canceled(attempt)
        async with self._run.transaction() as session:
            await settle.abandon_attempt(session, attempt.id, outcome, now=self._run.now())
            await self._run.finish(session)

    def _request(self, draft: Draft, attempt: AttemptRow) -> RenderRequest:
        base = self._resources.settings.medici_public_url
        return draft.addressed(attempt, public_url=base)

    async def _await_word(self, attempt: AttemptRow, lost: WordAwaited) -> None:
        async with self._run.transaction() as session:
            waits = await settle.waits_for_word(session, attempt.render_job_id)
            if waits:
                await await_word(session, attempt.render_job_id, attempt.id, now=self._run.now())
                await self._run.finish(session)
        if not waits:
            await self._ending.fail(attempt, lost)

    def _provider(self, attempt: AttemptRow, *, touched: bool) -> Provider:
        """Return the attempt's provider; ``touched`` tells that it may hold our work already."""
        provider = self._resources.providers.by_name.get(attempt.provider)
        if provider is None:
            code = FailureCode.TIMEOUT_AMBIGUOUS if touched else FailureCode.AUTH
            raise ProviderFailure(code, f"{attempt.provider} is not configured here")
        return provider

    def _verdict_of_silence(self, attempt: AttemptRow, failure: ProviderFailure) -> ProviderFailure:
        """Return what a failed look means for work that the provider has accepted.

        Raises:
            ProviderSilent: nothing yet; there is time for another look.
        """
        if failure.code not in PASSING:
            return failure
        if not (self._run.last_attempt or self._overdue(attempt)):
            raise ProviderSilent(str(failure)) from failure
        return ProviderFailure(FailureCode.TIMEOUT_AMBIGUOUS, failure.message)

    def _overdue(self, attempt: AttemptRow) -> bool:
        return self._run.now() >= attempt.deadline_at

    async def _canceled(self, attempt: AttemptRow) -> CancelOutcome:
        provider = self._resources.providers.by_name.get(attempt.provider)
        if provider is None:
            return CancelOutcome.UNSUPPORTED
        try:
            return await provider.cancel(attempt.ref or {})
        except ProviderFailure as failure:
            if failure.code in PASSING and not self._run.last_attempt:
                raise ProviderSilent(str(failure)) from failure
            return CancelOutcome.UNSUPPORTED

    async def _stop(self, provider: Provider, attempt: AttemptRow) -> None:
        """Cancel overdue work where that can be done; the job goes on without it in any case."""
        with suppress(ProviderFailure):
            await provider.cancel(attempt.ref or {})

    async def _follow(self, attempt: AttemptRow, submission: Submission) -> None:
        acceptance = Acceptance(
            job_id=attempt.render_job_id,
            attempt_id=attempt.id,
            submission=submission,
            chance=CHANCE.random(),
            now=self._run.now(),
        )
        await self._run.take(accept_all, acceptance, finish=True)
