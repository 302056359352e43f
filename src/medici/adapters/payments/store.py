"""A store that can be asked, and told."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

from medici.adapters.payments.news import StoreNews
from medici.kernel.environment import Environment


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
