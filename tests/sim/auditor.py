"""Looks at what each step has changed; knows the promises, not how they are kept."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from medici.domain.ledger.book import Posting
from medici.domain.ledger.models import Account, HoldStatus, PostingKind
from medici.domain.rendering.models import RenderState
from medici.jobs.claims import Claim
from tests.sim.queue import is_held
from tests.sim.rows import Order, Store, Violation, Wallet
from tests.sim.vendor import Vendor

OWN = (Account.AVAILABLE, Account.HELD)
CHARGES = frozenset({PostingKind.CAPTURE, PostingKind.LATE_CAPTURE, PostingKind.WRITE_OFF})
RETRIES_OF_A_JOB = 4
TRIES_AT_ONE_PROVIDER = 3
TRIES_OF_LAST_WORDS = 8


@dataclass(slots=True)
class Sums:
    """One wallet as its entries have it."""

    seq: int = 0
    entries: Counter[Account] = field(default_factory=Counter)


class Auditor:
    """Checks every promise after every step, on what is new."""

    def __init__(self, store: Store, vendors: tuple[Vendor, ...]) -> None:
        self._store = store
        self._vendors = vendors
        self._sums: dict[UUID, Sums] = defaultdict(Sums)
        self._charges: Counter[UUID] = Counter()
        self._ends: dict[UUID, RenderState] = {}
        self._taken: dict[UUID, list[UUID]] = defaultdict(list)
        self.purchased: Counter[UUID] = Counter()  # credits that a wallet's owner has paid for
        self.paid_for: set[str] = set()

    def look(self) -> None:
        for wallet in self._store.changed_wallets:
            self._wallet(wallet)
        for order in self._store.changed_orders:
            self._order(order)
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
            _hold(job.attempts <= most, "a job runs too often")
        _hold(max(holders.values(), default=0) <= 1, "two runs hold one job")

    def note_purchase(self, wallet: Wallet, purchase: str, amount: int) -> None:
        if purchase not in self.paid_for:
            self.paid_for.add(purchase)
            self.purchased[wallet.id] += amount

    def look_at_the_end(self) -> None:
        """Nothing is left open, and what was paid for has come."""
        for order in self._store.orders.values():
            _hold(order.state.is_terminal, "a render never ended")
            for attempt in order.attempts:
                _hold(attempt.finished, "an attempt never ended")
        for hold in self._store.holds.values():
            _hold(hold.status is not HoldStatus.PENDING, "a hold never ended")
        for wallet in self._store.wallets:
            _hold(wallet.held == 0, "credits are still held")
        for job in self._store.jobs.values():
            _hold(not job.unfinished, "a job never ended")

    # Credits

    def _wallet(self, wallet: Wallet) -> None:
        sums = self._sums[wallet.id]
        for at, posting in wallet.postings:
            self._posting(wallet, sums, at, posting)
        wallet.postings.clear()
        known = tuple(sums.entries[account] for account in OWN)
        _hold((wallet.available, wallet.held) == known, "a wallet is not the sum of its entries")
        _hold(min(known) >= 0, "a wallet is overdrawn")
        _hold(wallet.seq == sums.seq, "a wallet's transactions are not counted")
        for grant in wallet.grants.values():
            parts = (grant.consumed, grant.held, grant.expired, grant.revoked)
            _hold(min(parts) >= 0 and sum(parts) <= grant.amount, "a grant is overspent")
        free = sum(grant.free for grant in wallet.grants.values())
        _hold(free == wallet.available, "a wallet is not the sum of its grants")
        bought = sum(g.amount for g in wallet.grants.values() if g.source_ref.startswith("buy"))
        _hold(bought == self.purchased[wallet.id], "a purchase was counted twice, or not at all")

    def _posting(self, wallet: Wallet, sums: Sums, at: datetime, posting: Posting) -> None:
        sums.seq += 1
        _hold(posting.seq == sums.seq, "a wallet's transactions have a gap")
        entries: Counter[Account] = Counter()
        for move in posting.moves:
            entries[move.source] -= move.amount
            entries[move.target] += move.amount
            spent = move.source is Account.AVAILABLE and move.target in {
                Account.HELD,
                Account.CONSUMED,
            }
            if spent and move.grant_id is not None:
                ended = wallet.grants[move.grant_id].expires_at
                _hold(ended is None or ended > at, "credits were spent after their time")
        _hold(sum(entries.values()) == 0, "a transaction does not balance")
        sums.entries.update(entries)
        if posting.kind in CHARGES and posting.hold_id is not None:
            self._charges[posting.hold_id] += 1
            _hold(self._charges[posting.hold_id] == 1, "a hold was charged twice")

    # Renders

    def _order(self, order: Order) -> None:
        end = self._ends.get(order.id)
        _hold(end is None or order.state is end, f"a render that was {end} is {order.state} now")
        tries = Counter(attempt.provider for attempt in order.attempts)
        _hold(max(tries.values(), default=0) <= TRIES_AT_ONE_PROVIDER, "a provider is pestered")
        most = len(order.candidates) + RETRIES_OF_A_JOB
        _hold(len(order.attempts) <= most, "a render is tried too often")
        if not order.state.is_terminal:
            return
        self._ends[order.id] = order.state
        charged = self._charges[order.hold.id] == 1
        _hold(order.hold.status is not HoldStatus.PENDING, "an ended render holds credits")
        _hold(charged == (order.state is RenderState.SUCCEEDED), "a render is charged wrongly")
        _hold(charged == (order.output_id is not None), "charged and delivered differ")

    def _accepted(self, attempt_id: UUID) -> None:
        """A provider took work: it must be the only paid try whose outcome nobody knows."""
        order = self._store.attempts[attempt_id].order
        earlier = self._taken[order.id]
        if not order.policy.fall_back_on_uncertain:
            for other in earlier:
                known = self._store.attempts[other].outcome_known
                _hold(known, "work was paid for a second time while the first is uncertain")
        earlier.append(attempt_id)


def _hold(promise: bool, otherwise: str) -> None:
    if not promise:
        raise Violation(otherwise)
