"""The stores' own messages: which form they have, what proves them, what follows from them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.apple.following import needs_lookup as needs_apple
from medici.adapters.payments.apple.words import is_notification
from medici.adapters.payments.errors import StoreNotConfigured
from medici.adapters.payments.google.actions import Nothing, RefundOrder, action_of
from medici.adapters.payments.google.messages import PlayMessage
from medici.adapters.payments.google.push import is_push
from medici.adapters.payments.news import Source, StoreNews
from medici.adapters.payments.stripe.telling import needs_lookup
from medici.domain.billing.lineages import lineage_of
from medici.domain.billing.service.checkouts import expire_checkout
from medici.domain.billing.service.store_news import Taken, ask_store, enqueue_fetch
from medici.doors.studio.selling.taking import take_in
from medici.doors.studio.selling.work import complete_event, refund_order, revoke_purchase
from medici.kernel.environment import Environment
from medici.resources import Resources

STRIPE_SIGNATURE = "stripe-signature"
CAME_TO_NOTHING = frozenset({"checkout.session.expired", "checkout.session.async_payment_failed"})
ASKED = "the store is asked how the purchase stands"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A request as it came; header names are in lower case, ``token`` is the query's."""

    raw: bytes
    headers: Mapping[str, str]
    token: str | None

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.raw).hexdigest()


def is_native(source: Source, envelope: Envelope) -> bool:
    """Tell whether a message has the form that the store itself sends, whatever it is worth."""
    match source:
        case Source.IOS:
            return is_notification(envelope.raw)
        case Source.ANDROID:
            return is_push(envelope.raw)
        case _:
            return STRIPE_SIGNATURE in envelope.headers


async def take_native(
    resources: Resources, source: Source, envelope: Envelope, *, now: datetime
) -> Taken:
    """Prove a store's own message and take what it tells.

    Raises:
        StoreNotConfigured: the settings that would prove it are missing.
        SignatureRefused, TokenRefused, MessageUnreadable: it is not believed.
        StoreUnavailable: the proof needs somebody who does not answer now.
    """
    match source:
        case Source.IOS:
            return await _take_apple(resources, envelope, now)
        case Source.ANDROID:
            return await _take_google(resources, envelope, now)
        case _:
            return await take_stripe(resources, envelope, now=now)


async def take_stripe(resources: Resources, envelope: Envelope, *, now: datetime) -> Taken:
    """Take an event of Stripe's.

    Events come late, twice and in any order, so Stripe is asked afterwards how things stand; and
    for what the event leaves out. Our key opens one of its two worlds; the other has its events
    alone.
    """
    stripe = resources.receivers.stripe
    if stripe is None:
        raise StoreNotConfigured("STRIPE_WEBHOOK_SECRET is not set")
    event = stripe.open(envelope.raw, envelope.headers.get(STRIPE_SIGNATURE), now=now)
    news = stripe.tell(event)
    async with resources.database.transaction() as session:
        taken = await take_in(session, resources, news, envelope.raw, now=now)
        if event.type in CAME_TO_NOTHING and news.buyer.checkout_id:
            await expire_checkout(session, news.buyer.checkout_id, now=now)
        if stripe.asks is event.environment:
            if needs_lookup(event):
                await complete_event(session, event.id, now=now)
            await ask_about(session, news, now=now)
    return taken


async def _take_apple(resources: Resources, envelope: Envelope, now: datetime) -> Taken:
    apple = resources.receivers.apple
    if apple is None:
        raise StoreNotConfigured("APPLE_BUNDLE_IDS and APPLE_ROOT_CERTS_DIR are not set")
    news = await apple.read(envelope.raw, now=now)
    async with resources.database.transaction() as session:
        taken = await take_in(session, resources, news, envelope.raw, now=now)
        if needs_apple(news) and Source.IOS in resources.stores:
            await ask_about(session, news, now=now)
    return taken


async def ask_about(session: AsyncSession, news: StoreNews, *, now: datetime) -> None:
    """Have a store asked how the purchases that it told of stand now."""
    for standing in news.standings:
        wanted = lineage_of(news, standing.handle or standing.lineage_id)
        await enqueue_fetch(session, wanted, now=now)


async def _take_google(resources: Resources, envelope: Envelope, now: datetime) -> Taken:
    google = resources.receivers.google
    if google is None:
        raise StoreNotConfigured("GOOGLE_PLAY_PACKAGE_NAMES is not set")
    message = await google.read(
        envelope.raw,
        authorization=envelope.headers.get("authorization"),
        token=envelope.token,
        now=now,
    )
    action = action_of(message)
    news = _play_news(message, remark=action.remark if isinstance(action, Nothing) else ASKED)
    async with resources.database.transaction() as session:
        if isinstance(action, Nothing):
            return await take_in(session, resources, news, envelope.raw, now=now)
        if isinstance(action, RefundOrder):
            await refund_order(session, action, at=message.event_time, now=now)
        elif action.revoked:
            await revoke_purchase(session, action, now=now)
        return await ask_store(
            session,
            news,
            handle=action.handle,
            keys=resources.keys,
            payload_hash=envelope.hash,
            now=now,
        )


def _play_news(message: PlayMessage, *, remark: str) -> StoreNews:
    """Tell what a push says by itself: that something changed."""
    return StoreNews(
        source=Source.ANDROID,
        environment=Environment.PRODUCTION,
        event_id=message.event_id,
        event_type=message.event_type,
        event_time=message.event_time,
        auth_mode=message.auth_mode,
        remark=remark,
    )
