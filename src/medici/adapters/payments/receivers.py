"""What reads the stores' own messages in this deployment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from medici.adapters.payments.google.push import PubSubPush
from medici.adapters.payments.news import StoreNews
from medici.adapters.payments.stripe.checkout import StripeCheckout
from medici.adapters.payments.stripe.events import StripeEvents


class SignedWords(Protocol):
    """Apple's signed words. Apple's library is slow to load, so only its shape is known here."""

    async def read(self, raw: bytes, *, now: datetime) -> StoreNews:
        """Prove and read the body of a notification."""

    async def read_transaction(self, signed: str, *, now: datetime) -> StoreNews:
        """Prove and read a transaction that an app handed in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receivers:
    """A store whose settings are missing is None: none of its messages can be proven."""

    apple: SignedWords | None = None
    google: PubSubPush | None = None
    stripe: StripeEvents | None = None
    checkout: StripeCheckout | None = None
