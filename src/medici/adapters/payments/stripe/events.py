"""Stripe's webhook: from the bytes of a request to news."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from medici.adapters.payments.news import AuthMode, StoreNews
from medici.adapters.payments.stripe.event import StripeEvent, open_event
from medici.adapters.payments.stripe.signature import verify
from medici.adapters.payments.stripe.telling import news_of, told_by
from medici.kernel.environment import Environment

TO_BE_ASKED = "Stripe is asked for what the event leaves out"


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeEvents:
    """Reads what one of ``secrets`` signed; an overdue subscription has access for ``grace``.

    Where Stripe is asked afterwards what events leave out, ``asks`` names the world of the key.
    """

    secrets: tuple[str, ...] = field(repr=False)
    grace: timedelta = timedelta(days=7)
    asks: Environment | None = None

    def open(self, raw: bytes, signature: str | None, *, now: datetime) -> StripeEvent:
        """Return a proven event, for ``needs_lookup`` and ``StripeStore.complete``.

        Raises:
            SignatureRefused: it is not proven to be Stripe's.
            MessageUnreadable: it is proven, and no event.
        """
        verify(raw, signature, self.secrets, now=now)
        return open_event(raw)

    def tell(self, event: StripeEvent) -> StoreNews:
        """Tell what a proven event says by itself.

        Money is booked once, so it is left to ``StripeStore.complete`` where that will know better.
        """
        told = told_by(event, grace=self.grace)
        if self.asks is event.environment and not told.complete:
            told = replace(told, payments=(), refunds=(), remark=told.remark or TO_BE_ASKED)
        return news_of(event, told, AuthMode.NATIVE, at=event.created_at)

    def read(self, raw: bytes, signature: str | None, *, now: datetime) -> StoreNews:
        """Do both at once; raises what ``open`` raises."""
        return self.tell(self.open(raw, signature, now=now))
