"""A store that can be asked, and told."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Protocol

from medici.adapters.payments.news import StoreNews
from medici.kernel.environment import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a customer has had of a payment.

    ``share`` is how much of it was used, 0 to 1; None where that is a matter of time, or unknown.
    ``sampled`` says that they could try before they paid.
    """

    delivered: bool
    share: Fraction | None
    sampled: bool


class Store(Protocol):
    """What billing wants of any store beside the messages that it sends."""

    async def current(
        self, handle: str, *, environment: Environment, now: datetime
    ) -> StoreNews | None:
        """Return how a purchase stands by the store's present word; None if it can't be asked.

        Raises:
            PurchaseUnknown: the store knows no such purchase, or not any more.
            StoreUnavailable: it does not answer now.
        """

    def missed(self, *, since: datetime, now: datetime) -> AsyncIterator[StoreNews]:
        """Tell again what the store has reported since then, as far as it remembers."""

    async def acknowledge(self, receipt: str) -> None:
        """Tell the store that a payment's customer has what they paid for; repeating is harmless.

        Raises:
            StoreUnavailable: it does not answer now.
        """

    async def report_use(self, transaction_id: str, use: Use, *, environment: Environment) -> None:
        """Tell the store how much of a payment was used; the customer consents to that.

        Raises:
            PurchaseUnknown: the store does not want to hear it of this payment.
            StoreUnavailable: it does not answer now.
        """
