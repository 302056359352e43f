"""One run of a render's background work, from pause to pause, as the product's pipeline goes."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar, cast

from medici.adapters.providers.failure import FailureCode, ProviderFailure, WorkExpired
from medici.adapters.providers.provider import (
    Artifact,
    CancelOutcome,
    Observation,
)
from medici.domain.rendering import rules
from medici.domain.rendering.errors import NobodyLeft, ProviderSilent
from medici.domain.rendering.service.choosing import Wait
from medici.domain.rendering.submission import PASSING, WordAwaited, submitted
from medici.domain.rendering.work import CANCEL_UPSTREAM, DISPATCH, POLL
from medici.jobs.claims import Claim
from medici.jobs.errors import LeaseLost
from medici.jobs.failures import failure_of
from medici.jobs.outcomes import Again, Done, Failed, Lost, Outcome
from tests.sim.bugs import Bug
from tests.sim.pausing import pause
from tests.sim.queue import Queue, is_held
from tests.sim.rows import Attempt, Order, Violation
from tests.sim.studio import Studio
from tests.sim.vendor import Vendor, asked_for

T = TypeVar("T")


class RenderRun:
    """Carries out one claim. Everything it writes, it writes through ``commit``."""

    def __init__(
        self,
        claim: Claim,
        *,
        studio: Studio,
        queue: Queue,
        vendors: Mapping[str, Vendor],
        clock: Callable[[], datetime],
        dice: Random,
        bug: Bug | None,
    ) -> None:
        self.claim = claim
        self._studio = studio
        self._queue = queue
        self._vendors = vendors
        self.now = clock
        self._dice = dice
        self._bug = bug

    async def perform(self) -> Outcome:
        """Run the work and tell how it went, as ``medici.jobs.performing`` does."""
        await pause("the run starts")
        try:
            return await self._work() or Done()
        except LeaseLost:
            return Lost()
        except Violation:
            raise
        except Exception as error:  # the same net as the product's: an error is an outcome
            failure = failure_of(error)
            if failure.code == "unexpected_error":
                raise
            return Failed(failure=failure)

    async def commit(self, write: Callable[[], T], *, finish: bool = False) -> T:
        """Write as the holder of the lease; with ``finish``, the job's end in the same step."""
        await pause("before a commit")
        if self._queue.held(self.claim) is None:
            raise LeaseLost(self.claim.id)
        if not is_held(self._studio.store.jobs[self.claim.id], self.claim):
            raise Violation("a run wrote that does not hold its job")
        written = write()
        if finish:
            self._queue.finish(self.claim)
        await pause("after a commit")
        return written

    async def _work(self) -> Again | None:
        args = self.claim.args
        attempt = cast("Attempt | None", args.get("attempt"))
        order = attempt.order if attempt is not None else cast("Order", args["order"])
        if (reason := self.claim.standing.burial) is not None:
            if self.claim.kind != CANCEL_UPSTREAM.name:
                await self.commit(
                    lambda: self._studio.give_up(order, reason=reason, now=self.now())
                )
            return None
        if attempt is None:
            assert self.claim.kind == DISPATCH.name
            return await self._dispatch(order)
        if self.claim.kind == POLL.name:
            return await self._poll(attempt)
        await self._withdraw(attempt)
        return None

    async def _dispatch(self, order: Order) -> Again | None:
        begun = None
        try:
            if not order.state.is_terminal:
                begun = await self.commit(lambda: self._studio.begin(order, now=self.now()))
        except NobodyLeft:
            await self.commit(lambda: self._studio.nobody_left(order, now=self.now()))
            return None
        if isinstance(begun, Wait):
            return Again(at=begun.until + timedelta(seconds=self._dice.random() / 2))
        if begun is None:  # it has ended, perhaps while its picture was read
            await self.commit(lambda: self._studio.close_lost(order, now=self.now()))
        else:
            await self._send(*begun)
        return None

    async def _send(self, attempt: Attempt, resumed: bool) -> None:
        vendor = self._vendors[attempt.provider]
        request = asked_for(attempt.id.hex)
        try:
            if self._bug is Bug.BLIND_RESUBMIT:
                submission = await vendor.submit(request)
            else:
                submission = await submitted(
                    vendor,
                    request,
                    resumed=resumed,
                    last_chance=self.claim.standing.exhausted,
                )
        except WordAwaited as lost:
            await self._await_word(attempt, lost)
            return
        except ProviderFailure as failure:
            await self._fail(attempt, failure)
            return
        if submission.artifacts or vendor.capabilities().synchronous:
            await self._conclude(attempt, submission.observation, submission.artifacts)
        else:
            ref = dict(submission.ref)
            await self.commit(
                lambda: self._studio.accepted(attempt, ref, now=self.now()), finish=True
            )

    async def _await_word(self, attempt: Attempt, lost: WordAwaited) -> None:
        # The product looks and writes in one transaction, and fails the attempt in a second one.
        if self._studio.waits_for_word(attempt.order):
            await self.commit(lambda: self._studio.await_word(attempt, now=self.now()), finish=True)
        else:
            await self._fail(attempt, lost)

    async def _poll(self, attempt: Attempt) -> Again | None:
        if attempt.finished:
            return None
        if attempt.ref is None:
            lost = ProviderFailure(FailureCode.TIMEOUT_AMBIGUOUS, "nobody called")
            await self._fail(attempt, lost)
            return None
        if attempt.order.state.is_terminal:
            await self._withdraw(attempt)
            return None
        if not await self._look(attempt):
            return None
        await self.commit(lambda: self._studio.observed(attempt))
        wait = rules.poll_delay_seconds(attempt.polls, self._dice.random())
        return Again(at=self.now() + timedelta(seconds=wait))

    async def _look(self, attempt: Attempt) -> bool:
        """Ask how far the work is; False once it has been concluded."""
        vendor = self._vendors[attempt.provider]
        try:
            seen = await vendor.poll(attempt.ref or {})
            if seen.phase.is_terminal:
                await self._conclude(attempt, seen, None)
                return False
        except ProviderFailure as failure:
            await self._fail(attempt, self._verdict_of_silence(attempt, failure))
            return False
        if self.now() >= attempt.deadline_at:
            with suppress(ProviderFailure):
                await vendor.cancel(attempt.ref or {})
            await self._fail(attempt, WorkExpired("no result before the deadline"))
            return False
        return True

    def _verdict_of_silence(self, attempt: Attempt, failure: ProviderFailure) -> ProviderFailure:
        if failure.code not in PASSING:
            return failure
        if not (self.claim.standing.exhausted or self.now() >= attempt.deadline_at):
            raise ProviderSilent(str(failure)) from failure
        return ProviderFailure(FailureCode.TIMEOUT_AMBIGUOUS, failure.message)

    async def _conclude(
        self, attempt: Attempt, seen: Observation, brought: tuple[Artifact, ...] | None
    ) -> None:
        failure = seen.failure
        if failure is None:
            vendor = self._vendors[attempt.provider]
            pictures = await vendor.fetch(attempt.ref or {}) if brought is None else brought
            await pause("the picture is stored")
            if pictures:
                await self.commit(
                    lambda: self._studio.deliver(attempt, now=self.now()), finish=True
                )
                return
            failure = ProviderFailure(FailureCode.NO_OUTPUT, "no picture")
        await self._fail(attempt, failure)

    async def _fail(self, attempt: Attempt, failure: ProviderFailure) -> None:
        await self.commit(
            lambda: self._studio.fail_attempt(attempt, failure, now=self.now()), finish=True
        )

    async def _withdraw(self, attempt: Attempt) -> None:
        if not attempt.state.is_open or attempt.ref is None:
            return
        try:
            outcome = await self._vendors[attempt.provider].cancel(attempt.ref)
        except ProviderFailure as failure:
            if failure.code in PASSING and not self.claim.standing.exhausted:
                raise ProviderSilent(str(failure)) from failure
            outcome = CancelOutcome.UNSUPPORTED
        await self.commit(
            lambda: self._studio.abandon(attempt, outcome, now=self.now()), finish=True
        )
