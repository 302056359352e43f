"""What is left to do after a store's message was taken, because the store has to be asked."""

from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.google.actions import Fetch, RefundOrder
from medici.adapters.payments.google.store import GooglePlayStore
from medici.adapters.payments.google.subscriptions import taken_away
from medici.adapters.payments.news import Source, StoreNews
from medici.adapters.payments.stripe.event import StripeEvent
from medici.adapters.payments.stripe.objects import StripeRefund
from medici.adapters.payments.stripe.store import StripeStore
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.service.store_news import take_news
from medici.jobs.handlers import handles
from medici.jobs.kinds import Argument, JobKind
from medici.jobs.queue import enqueue
from medici.jobs.run import Run
from medici.kernel.environment import Environment
from medici.resources import Resources

COMPLETE_EVENT = JobKind(name="billing.complete_event", attempts=12, timeout_seconds=60)
COMPLETE_REFUND = JobKind(name="billing.complete_refund", attempts=12, timeout_seconds=60)
REFUND_ORDER = JobKind(name="billing.refund_order", attempts=12, timeout_seconds=60)
REVOKE_PURCHASE = JobKind(name="billing.revoke_purchase", attempts=8, timeout_seconds=60)
log = structlog.get_logger("medici.stores")


async def complete_event(session: AsyncSession, event_id: str, *, now: datetime) -> None:
    """Have Stripe asked for what one of its events leaves out."""
    await enqueue(session, COMPLETE_EVENT, now=now, args={"event_id": event_id}, key=event_id)


async def complete_refund(session: AsyncSession, refund: StripeRefund, *, now: datetime) -> None:
    """Have Stripe asked what has gone back of the payment that a refund of ours belongs to."""
    args: dict[str, Argument] = {
        "refund_id": refund.id,
        "payment_intent": refund.payment_intent,
        "charge": refund.charge,
    }
    await enqueue(session, COMPLETE_REFUND, now=now, args=args, key=refund.id)


async def refund_order(
    session: AsyncSession, order: RefundOrder, *, at: datetime, now: datetime
) -> None:
    """Have an order of Google's booked as refunded ``at`` a moment."""
    args: dict[str, Argument] = {"order_id": order.order_id, "handle": order.handle, "at": at}
    await enqueue(session, REFUND_ORDER, now=now, args=args, key=order.order_id)


async def revoke_purchase(session: AsyncSession, fetch: Fetch, *, now: datetime) -> None:
    """Have Google asked about a purchase that it took away, which its answer does not tell."""
    await enqueue(
        session, REVOKE_PURCHASE, now=now, args={"handle": fetch.handle}, key=fetch.handle
    )


@handles(COMPLETE_EVENT)
async def on_complete_event(run: Run[Resources], *, event_id: str) -> None:
    """Take an event again, whole."""
    if store := _stripe(run):
        event = await store.event(event_id)
        await _take(run, await store.complete(event, now=run.now()))


@handles(COMPLETE_REFUND)
async def on_complete_refund(
    run: Run[Resources], *, refund_id: str, payment_intent: str | None, charge: str | None
) -> None:
    """Take the event that Stripe tells of a refund, without waiting for it."""
    if store := _stripe(run):
        event = StripeEvent(
            id=f"asked:{refund_id}",
            type="refund.created",
            created_at=run.now(),
            environment=store.wire.environment,
            body={"id": refund_id, "payment_intent": payment_intent, "charge": charge},
        )
        await _take(run, await store.complete(event, now=run.now()))


@handles(REFUND_ORDER)
async def on_refund_order(run: Run[Resources], *, order_id: str, handle: str, at: datetime) -> None:
    """Book a refund in the environment in which the order was paid."""
    store = run.resources.stores.get(Source.ANDROID)
    if not isinstance(store, GooglePlayStore):
        log.warning("stores.not_configured", source=Source.ANDROID)
        return
    order = RefundOrder(order_id=order_id, handle=handle)
    await _take(run, await store.refunded(order, at=at))


@handles(REVOKE_PURCHASE)
async def on_revoke_purchase(run: Run[Resources], *, handle: str) -> None:
    """Take Google's word about a purchase, knowing that its end was no expiry."""
    store = run.resources.stores.get(Source.ANDROID)
    if store is None:
        log.warning("stores.not_configured", source=Source.ANDROID)
        return
    news = await store.current(handle, environment=Environment.PRODUCTION, now=run.now())
    if news is not None:
        await _take(run, taken_away(news))


def _stripe(run: Run[Resources]) -> StripeStore | None:
    store = run.resources.stores.get(Source.WEB)
    if isinstance(store, StripeStore):
        return store
    log.warning("stores.not_configured", source=Source.WEB)
    return None


async def _take(run: Run[Resources], news: StoreNews) -> None:
    async with run.transaction() as session:
        await take_news(
            session,
            news,
            keys=run.resources.keys,
            policy=StorePolicy.of(run.resources.settings),
            payload_hash="",
            now=run.now(),
        )
