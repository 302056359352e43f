"""Stripe as a store that can be asked."""

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import ValidationError

from medici.adapters.payments.errors import PurchaseUnknown
from medici.adapters.payments.news import AuthMode, StoreNews
from medici.adapters.payments.store import Use
from medici.adapters.payments.stripe.answers import EventPage
from medici.adapters.payments.stripe.errors import StripeRefused
from medici.adapters.payments.stripe.event import Envelope, StripeEvent
from medici.adapters.payments.stripe.lookups import Lookups
from medici.adapters.payments.stripe.telling import READERS, needs_lookup, news_of, told_by
from medici.adapters.payments.stripe.wire import StripeWire
from medici.kernel.environment import Environment

REMEMBERED = timedelta(days=30)  # how long Stripe keeps events
PAGE = 100

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeStore:
    """Answers for the world of its key, live or test. A purchase's handle is its subscription."""

    wire: StripeWire
    grace: timedelta = timedelta(days=7)

    async def current(
        self, handle: str, *, environment: Environment, now: datetime
    ) -> StoreNews | None:
        if environment is not self.wire.environment:
            return None
        told = await _known(self._lookups(now).subscription(handle), handle)
        asked = StripeEvent(
            id=f"fetched:{handle}:{int(now.timestamp())}",
            type="subscription.fetched",
            created_at=now,
            environment=environment,
            body={},
        )
        return news_of(asked, told, AuthMode.FETCHED, at=now)

    async def event(self, event_id: str) -> StripeEvent:
        """Return an event of the last thirty days again.

        Raises:
            PurchaseUnknown: Stripe knows no such event, or not any more.
            StripeRefused: the key does not open it.
            StoreUnavailable: Stripe does not answer now.
        """
        found = await _known(self.wire.get(Envelope, f"/events/{event_id}"), event_id)
        return found.opened()

    async def complete(self, event: StripeEvent, *, now: datetime) -> StoreNews:
        """Tell an event by Stripe's present word, which counts as of ``now``.

        These are news of their own (``completed:evt_…``), since the event's own may have been
        taken already. An event of the other world than the key's is told by what it says itself.

        Raises:
            PurchaseUnknown: Stripe knows nothing of what the event is about.
            StripeRefused: the key does not open it.
            StoreUnavailable: Stripe does not answer now.
        """
        named = replace(event, id=f"completed:{event.id}")
        if event.environment is not self.wire.environment:
            return self._as_told(named, AuthMode.NATIVE)
        try:
            told = await _known(self._lookups(now).about(event), event.id)
        except ValidationError:
            return self._as_told(named, AuthMode.NATIVE)
        return news_of(named, told, AuthMode.FETCHED, at=now)

    async def missed(self, *, since: datetime, now: datetime) -> AsyncIterator[StoreNews]:
        async for event in self._events(max(since, now - REMEMBERED)):
            if not needs_lookup(event):
                yield self._as_told(event, AuthMode.FETCHED)
                continue
            try:
                yield await self.complete(event, now=now)
            except PurchaseUnknown:
                yield self._as_told(event, AuthMode.FETCHED)

    async def acknowledge(self, receipt: str) -> None:
        """Do nothing: Stripe waits for no receipt."""

    async def report_use(self, transaction_id: str, use: Use, *, environment: Environment) -> None:
        """Do nothing: with Stripe we decide on refunds ourselves."""

    async def _events(self, since: datetime) -> AsyncIterator[StripeEvent]:
        """Give events that concern us, the newest first."""
        after: str | None = None
        while True:
            page = await self.wire.get(
                EventPage,
                "/events",
                {
                    "created": {"gte": int(since.timestamp())},
                    "types": tuple(READERS),
                    "limit": PAGE,
                    "starting_after": after,
                },
            )
            for envelope in page.data:
                yield envelope.opened()
            if not (page.has_more and page.data):
                return
            after = page.data[-1].id

    def _as_told(self, event: StripeEvent, proof: AuthMode) -> StoreNews:
        return news_of(event, told_by(event, grace=self.grace), proof, at=event.created_at)

    def _lookups(self, now: datetime) -> Lookups:
        return Lookups(wire=self.wire, grace=self.grace, now=now)


async def _known(asking: Awaitable[Answer], what: str) -> Answer:
    """Say that a purchase is unknown where Stripe says that something is missing."""
    try:
        return await asking
    except StripeRefused as refused:
        if refused.is_missing:
            raise PurchaseUnknown(f"Stripe does not know {what}") from refused
        raise
