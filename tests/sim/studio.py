"""The render services on rows in memory: one method is one transaction's writes."""

from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from medici.adapters.providers.failure import ProviderFailure
from medici.adapters.providers.provider import CancelOutcome
from medici.domain.ledger.errors import InsufficientCredits
from medici.domain.rendering import rules
from medici.domain.rendering.errors import NobodyLeft, TooEarly
from medici.domain.rendering.models import AttemptState, RenderState
from medici.domain.rendering.rules import Next, Policy, Standing
from medici.domain.rendering.service.choosing import Wait
from medici.domain.rendering.work import CANCEL_UPSTREAM, DISPATCH, POLL
from tests.sim.bugs import Bug
from tests.sim.queue import Queue
from tests.sim.rows import Attempt, Order, Store, Turn, Wallet
from tests.sim.till import Till
from tests.sim.waiting_room import WaitingRoom


class Studio:
    """Admits, sends, watches and ends renders."""

    def __init__(
        self,
        store: Store,
        queue: Queue,
        till: Till,
        room: WaitingRoom,
        *,
        dice: Random,
        bug: Bug | None,
    ) -> None:
        self.store = store
        self._queue = queue
        self._till = till
        self._room = room
        self._dice = dice
        self._bug = bug

    def submit(
        self,
        key: str,
        wallet: Wallet,
        *,
        price: int,
        candidates: tuple[str, ...],
        policy: Policy,
        now: datetime,
    ) -> Order | None:
        """Admit an order once per key: price held and work queued; None without the credits."""
        if (known := self.store.orders_by_key.get(key)) is not None:
            return known
        order_id = self.store.new_id()
        self._till.allow(wallet, now=now)
        try:
            hold = self._till.hold(
                wallet,
                price,
                reference=f"render_job:{order_id}",
                expires_at=now + rules.HOLD_LIFETIME,
                now=now,
            )
        except InsufficientCredits:
            return None
        order = Order(
            id=order_id,
            wallet=wallet,
            hold=hold,
            candidates=candidates,
            policy=policy,
            created_at=now,
        )
        self.store.orders[order_id] = self.store.orders_by_key[key] = order
        self.store.changed_orders[order] = None
        if self._bug is not Bug.LATE_ENQUEUE:
            self.queue_dispatch(order, now=now)
        return order

    def queue_dispatch(
        self, order: Order, *, now: datetime, run_at: datetime | None = None
    ) -> None:
        self._queue.enqueue(DISPATCH, {"order": order}, now=now, run_at=run_at, key=order.id.hex)

    def cancel(self, order: Order, *, now: datetime) -> None:
        if order.state.is_terminal and self._bug is not Bug.CANCEL_WINS:
            return
        for attempt in order.attempts:
            if attempt.state is AttemptState.RUNNING:
                self._queue.enqueue(CANCEL_UPSTREAM, {"attempt": attempt}, now=now)
        if not order.state.is_terminal:
            self._till.release(order.hold, now=now)
        self._move(order, RenderState.CANCELED)

    def begin(self, order: Order, *, now: datetime) -> tuple[Attempt, bool] | Wait | None:
        """Store the intent to send; the second value tells that an earlier answer was lost.

        Raises:
            NobodyLeft: no provider can be asked, now or soon.
        """
        if order.state.is_terminal:
            return None
        if order.attempts and order.attempts[-1].state.is_open:
            last = order.attempts[-1]
            return (last, True) if last.state is AttemptState.SENDING else None
        choice = self._room.choose(order, now)
        if choice is None:
            raise NobodyLeft
        if isinstance(choice, Wait):
            return choice
        order.position = choice
        attempt = Attempt(
            id=self.store.new_id(),
            order=order,
            provider=order.candidates[order.position],
            deadline_at=now + rules.ATTEMPT_LIFETIME,
        )
        order.attempts.append(attempt)
        self.store.attempts[attempt.id] = attempt
        self._note(attempt, now)
        self._move(order, RenderState.SENDING)
        return attempt, False

    def accepted(self, attempt: Attempt, ref: dict[str, str], *, now: datetime) -> None:
        if not attempt.state.is_open:
            return
        attempt.ref = ref
        if not attempt.order.state.is_terminal:
            attempt.state = AttemptState.RUNNING
            self._move(attempt.order, RenderState.RUNNING)
        wait = rules.poll_delay_seconds(0, self._dice.random())
        self._queue_poll(attempt, now=now, run_at=now + timedelta(seconds=wait))

    def waits_for_word(self, order: Order) -> bool:
        goes_on = order.policy.fall_back_on_uncertain
        return order.state.is_terminal or not (
            goes_on and order.position + 1 < len(order.candidates)
        )

    def await_word(self, attempt: Attempt, *, now: datetime) -> None:
        if not attempt.state.is_open:
            return
        attempt.state = AttemptState.UNCERTAIN
        if not attempt.order.state.is_terminal:
            self._move(attempt.order, RenderState.UNCERTAIN)
        self._queue_poll(attempt, now=now, run_at=now + rules.WORD_PATIENCE)

    def take_news(self, attempt: Attempt, ref: dict[str, str], *, now: datetime) -> None:
        """Look at an attempt at once; raises ``TooEarly`` while it is being sent."""
        if attempt.state is AttemptState.SENDING:
            raise TooEarly("the submission is still on its way")
        attempt.ref = attempt.ref or ref
        if attempt.finished:
            return
        if attempt.state is AttemptState.UNCERTAIN:
            attempt.state = AttemptState.RUNNING
            if attempt.order.state is RenderState.UNCERTAIN:
                self._move(attempt.order, RenderState.RUNNING)
        self._queue_poll(attempt, now=now)

    def observed(self, attempt: Attempt) -> None:
        attempt.polls += 1
        if attempt.state.is_open and not attempt.order.state.is_terminal:
            self._move(attempt.order, RenderState.RUNNING)

    def deliver(self, attempt: Attempt, *, now: datetime) -> None:
        if not attempt.state.is_open:
            return
        self._close(attempt, AttemptState.SUCCEEDED, now)
        self._room.note_success(attempt.provider)
        order = attempt.order
        if not order.state.is_terminal:
            order.output_id = attempt.id
            self._till.charge(order.hold, now=now)
            self._move(order, RenderState.SUCCEEDED)

    def fail_attempt(self, attempt: Attempt, failure: ProviderFailure, *, now: datetime) -> None:
        """Close an attempt that brought nothing and let its order go on as the rules say."""
        if not attempt.state.is_open:
            return
        self._close(attempt, AttemptState.FAILED, now)
        self._room.note_failure(attempt.provider, failure, now)
        attempt.failure_code = failure.code
        attempt.retry_after_seconds = failure.retry_after_seconds
        attempt.cost_uncertain = rules.may_have_cost(failure, accepted=attempt.ref is not None)
        order = attempt.order
        if order.state.is_terminal:
            return
        standing = self._standing(attempt)
        match rules.after_failure(failure, standing, order.policy):
            case Next.RETRY:
                order.retries += 1
                wait = rules.retry_delay_seconds(
                    standing.tries_here, self._dice.random(), failure.retry_after_seconds
                )
                self._send_again(order, now, timedelta(seconds=wait))
            case Next.FALL_BACK:
                order.position += 1
                self._send_again(order, now, timedelta())
            case Next.STOP:
                self._fail(order, *rules.final_state(failure), now=now)

    def abandon(self, attempt: Attempt, outcome: CancelOutcome, *, now: datetime) -> None:
        if attempt.state.is_open:
            attempt.cost_uncertain = outcome is not CancelOutcome.CANCELED
            self._close(attempt, AttemptState.CANCELED, now)

    def nobody_left(self, order: Order, *, now: datetime) -> None:
        """End an order for which no provider can be asked."""
        if not order.state.is_terminal:
            self._fail(order, RenderState.FAILED, NobodyLeft.code, now=now)

    def give_up(self, order: Order, *, reason: str, now: datetime) -> None:
        """End an order whose background work cannot be done."""
        for attempt in order.attempts:
            if attempt.state.is_open:
                self._lose(attempt, now)
        if not order.state.is_terminal:
            self._fail(order, RenderState.FAILED, reason, now=now)

    def close_lost(self, order: Order, *, now: datetime) -> None:
        for attempt in order.attempts:
            if attempt.state is AttemptState.SENDING and attempt.ref is None:
                self._lose(attempt, now)

    def attempt_of(self, reference: str) -> Attempt:
        return self.store.attempts[UUID(reference)]

    def _standing(self, attempt: Attempt) -> Standing:
        order = attempt.order
        same = sum(other.provider == attempt.provider for other in order.attempts)
        endless = self._bug is Bug.ENDLESS_RETRIES
        uncounted = self._bug is Bug.ONE_TRY_MORE
        return Standing(
            tries_here=1 if endless else same - uncounted,
            retries=0 if endless else order.retries,
            has_next=order.position + 1 < len(order.candidates),
        )

    def _send_again(self, order: Order, now: datetime, wait: timedelta) -> None:
        self._move(order, RenderState.QUEUED)
        self.queue_dispatch(order, now=now, run_at=now + wait)

    def _fail(self, order: Order, state: RenderState, code: str, *, now: datetime) -> None:
        order.error_code = code
        if self._bug is not Bug.HOLD_KEPT:
            self._till.release(order.hold, now=now)
        self._move(order, state)

    def _queue_poll(
        self, attempt: Attempt, *, now: datetime, run_at: datetime | None = None
    ) -> None:
        self._queue.enqueue(POLL, {"attempt": attempt}, now=now, run_at=run_at, key=attempt.id.hex)

    def _move(self, order: Order, state: RenderState) -> None:
        order.state = state
        self.store.changed_orders[order] = None

    def _lose(self, attempt: Attempt, now: datetime) -> None:
        attempt.cost_uncertain = True
        self._close(attempt, AttemptState.UNCERTAIN, now)

    def _close(self, attempt: Attempt, state: AttemptState, now: datetime) -> None:
        attempt.close(state)
        self._note(attempt, now)

    def _note(self, attempt: Attempt, now: datetime) -> None:
        self.store.turns.append(Turn(attempt=attempt, state=attempt.state, at=now))
