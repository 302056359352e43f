"""Looks at what each step has changed; knows the promises, not how they are kept."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from medici.domain.ledger.models import HoldStatus
from medici.domain.rendering.models import RenderState
from medici.jobs.claims import Claim
from tests.sim.bookkeeper import Bookkeeper
from tests.sim.doctor import Doctor
from tests.sim.promises import hold_to
from tests.sim.queue import is_held
from tests.sim.rows import Order, Store
from tests.sim.vendor import Vendor

RETRIES_OF_A_JOB = 4
TRIES_OF_LAST_WORDS = 8


class Auditor:
    """Checks every promise after every step, on what is new."""

    def __init__(
        self, store: Store, vendors: tuple[Vendor, ...], caps: Mapping[str, int | None]
    ) -> None:
        self._store = store
        self._vendors = vendors
        self._doctor = Doctor(caps)
        self.bookkeeper = Bookkeeper()
        self._ends: dict[UUID, RenderState] = {}
        self._taken: dict[UUID, list[UUID]] = defaultdict(list)

    def look(self) -> None:
        for wallet in self._store.changed_wallets:
            self.bookkeeper.look(wallet)
        for order in self._store.changed_orders:
            self._order(order)
        while self._store.turns:
            self._doctor.look(self._store.turns.popleft())
        for vendor in self._vendors:
            while vendor.accepted:
                self._accepted(UUID(vendor.accepted.popleft()))
        self._store.changed_wallets.clear()
        self._store.changed_orders.clear()

    def look_at_runs(self, claims: Iterable[Claim]) -> None:
        """At most one run holds a job, and none runs more often than its kind allows."""
        holders: Counter[UUID] = Counter()
        for claim in claims:
            job = self._store.jobs[claim.id]
            holders[job.id] += is_held(job, claim)
            most = TRIES_OF_LAST_WORDS if job.burial else job.kind.attempts
            hold_to(job.attempts <= most, "a job runs too often")
        hold_to(max(holders.values(), default=0) <= 1, "two runs hold one job")

    def look_at_the_end(self) -> None:
        """Nothing is left open, and what was paid for has come."""
        for order in self._store.orders.values():
            hold_to(order.state.is_terminal, "a render never ended")
            for attempt in order.attempts:
                hold_to(attempt.finished, "an attempt never ended")
        for hold in self._store.holds.values():
            hold_to(hold.status is not HoldStatus.PENDING, "a hold never ended")
        for wallet in self._store.wallets:
            hold_to(wallet.held == 0, "credits are still held")
        for job in self._store.jobs.values():
            hold_to(not job.unfinished, "a job never ended")

    def _order(self, order: Order) -> None:
        end = self._ends.get(order.id)
        hold_to(end is None or order.state is end, f"a render that was {end} is {order.state} now")
        most = len(order.candidates) + RETRIES_OF_A_JOB
        hold_to(len(order.attempts) <= most, "a render is tried too often")
        if not order.state.is_terminal:
            return
        self._ends[order.id] = order.state
        charged = self.bookkeeper.charges(order.hold.id) == 1
        hold_to(order.hold.status is not HoldStatus.PENDING, "an ended render holds credits")
        hold_to(charged == (order.state is RenderState.SUCCEEDED), "a render is charged wrongly")
        hold_to(charged == (order.output_id is not None), "charged and delivered differ")

    def _accepted(self, attempt_id: UUID) -> None:
        """A provider took work: it must be the only paid try whose outcome nobody knows."""
        order = self._store.attempts[attempt_id].order
        earlier = self._taken[order.id]
        if not order.policy.fall_back_on_uncertain:
            for other in earlier:
                known = self._store.attempts[other].outcome_known
                hold_to(known, "work was paid for a second time while the first is uncertain")
        earlier.append(attempt_id)
