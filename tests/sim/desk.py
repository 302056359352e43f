"""What the API does with a message, from its arrival to the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from medici.domain.billing.queries import EffectivePlan
from medici.domain.ledger.errors import InsufficientCredits
from medici.domain.ledger.models import GrantSource
from medici.domain.ledger.values import GrantTerms
from medici.domain.rendering.rules import Policy
from tests.sim.auditor import Auditor
from tests.sim.bugs import Bug
from tests.sim.pausing import pause
from tests.sim.rows import FREE, Hold, Order, Store, Wallet
from tests.sim.studio import Studio
from tests.sim.till import Till

ROUTE = ("painter", "sculptor", "weaver")  # enough for the budget of a job to matter
PLANS = (FREE, EffectivePlan(plan_id="pro", daily_credits=5), EffectivePlan(plan_id="none"))
SALE_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something on its way to us. Whoever sent it may send it again, under the same key."""

    kind: str
    key: str
    wallet: Wallet
    amount: int = 0


class Desk:
    """Takes orders, purchases, sales and cancellations, each once per key; and visits."""

    def __init__(
        self,
        store: Store,
        studio: Studio,
        till: Till,
        auditor: Auditor,
        *,
        policy: Policy,
        bug: Bug | None,
    ) -> None:
        self._store = store
        self._studio = studio
        self._till = till
        self._auditor = auditor
        self._policy = policy
        self._bug = bug
        self._deliveries = 0
        self.sales: dict[str, Hold] = {}

    async def handled(self, message: Message, clock: Callable[[], datetime]) -> None:
        await pause("a request arrives")
        match message.kind:
            case "order":
                await self._ordered(message, clock)
            case "cancel":
                self._studio.cancel(self._store.orders_by_key[message.key], now=clock())
            case "buy":
                self._bought(message, clock())
            case "sell":
                self._sold(message, clock())
            case "capture":
                self._till.charge(self.sales[message.key], now=clock())
            case "visit":
                self._till.allow(message.wallet, now=clock())
            case "subscribe":
                message.wallet.plan = PLANS[message.amount]
                self._till.allow(message.wallet, now=clock())
        await pause("the answer leaves")

    def give(self, wallet: Wallet, terms: GrantTerms, *, now: datetime) -> None:
        """Make a present of credits."""
        self._till.give(wallet, terms, delivery=terms.source_ref, now=now)

    async def _ordered(self, message: Message, clock: Callable[[], datetime]) -> None:
        order = self._studio.submit(
            message.key,
            message.wallet,
            price=message.amount,
            candidates=ROUTE,
            policy=self._policy,
            now=clock(),
        )
        if order is not None and self._bug is Bug.LATE_ENQUEUE:
            await self._queued_late(order, clock)

    async def _queued_late(self, order: Order, clock: Callable[[], datetime]) -> None:
        await pause("the order is committed")
        if not order.attempts:
            self._studio.queue_dispatch(order, now=clock())

    def _bought(self, message: Message, now: datetime) -> None:
        self._deliveries += 1
        self._auditor.bookkeeper.note_purchase(message.wallet, message.key, message.amount)
        terms = GrantTerms(source=GrantSource.PACK, source_ref=message.key, amount=message.amount)
        delivery = f"delivery:{self._deliveries}"
        self._till.give(message.wallet, terms, delivery=delivery, now=now)

    def _sold(self, message: Message, now: datetime) -> None:
        try:
            self.sales[message.key] = self._till.hold(
                message.wallet,
                message.amount,
                reference=message.key,
                expires_at=now + SALE_LIFETIME,
                now=now,
            )
        except InsufficientCredits:
            return
