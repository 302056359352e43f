"""Google Play as a store that can be asked, and told."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from medici.adapters.payments.errors import PurchaseUnknown
from medici.adapters.payments.google.actions import RefundOrder
from medici.adapters.payments.google.api import PlayApi
from medici.adapters.payments.google.handles import Bought, Duty, Handle, Receipt
from medici.adapters.payments.google.products import (
    FetchedProduct,
    full_refund,
    is_consumed,
    read_product,
    read_voided,
    refund_news,
)
from medici.adapters.payments.google.resources import SubscriptionPurchase, VoidedPurchase
from medici.adapters.payments.google.subscriptions import Fetched, is_unpaid, read_subscription
from medici.adapters.payments.news import StoreNews
from medici.adapters.payments.store import Use
from medici.kernel.environment import Environment

MOST_LINKS = 16  # tokens of one chain that are followed back
MOST_PAGES = 100
REMEMBERED = timedelta(days=30) - timedelta(minutes=5)  # Google lists voided ones of 30 days


@dataclass(frozen=True, slots=True, kw_only=True)
class GooglePlayStore:
    """Asks Google about purchases of our ``packages``. See ``handles`` for what it is asked by."""

    api: PlayApi
    packages: tuple[str, ...]

    async def current(
        self, handle: str, *, environment: Environment, now: datetime
    ) -> StoreNews | None:
        """Return how a purchase stands; see ``Store``. Google alone says of which environment."""
        wanted = self._ours(Handle.parse(handle))
        if wanted.bought is Bought.PRODUCT:
            purchase = await self.api.product(wanted.package, wanted.token)
            return read_product(FetchedProduct(handle=wanted, purchase=purchase, now=now))
        return read_subscription(await self._subscription(wanted, now))

    async def refunded(self, order: RefundOrder, *, at: datetime) -> StoreNews:
        """Tell that an order's money went back ``at`` a moment.

        Raises:
            StoreUnavailable: Google does not answer now, so that the environment is not known.
        """
        environment = Environment.PRODUCTION
        try:
            news = await self.current(order.handle, environment=environment, now=at)
        except PurchaseUnknown:  # long over; a pretended one would not be kept any longer
            news = None
        return refund_news(
            full_refund(order.order_id, at=at),
            event="refunded",
            environment=news.environment if news else environment,
            now=at,
        )

    async def missed(self, *, since: datetime, now: datetime) -> AsyncIterator[StoreNews]:
        """Tell of every payment whose money went back; of all else Google keeps no list."""
        start = max(since, now - REMEMBERED)
        for package in self.packages:
            async for voided in self._voided(package, start, now):
                if (news := await self._read_voided(package, voided, now)) is not None:
                    yield news

    async def acknowledge(self, receipt: str) -> None:
        """Tell Google that a customer has what they paid for; see ``Store``."""
        fulfilled = Receipt.parse(receipt)
        if fulfilled.package not in self.packages:
            raise PurchaseUnknown("the payment is of another app")
        try:
            await self.api.fulfil(fulfilled)
        except PurchaseUnknown:
            if not await self._is_fulfilled(fulfilled):
                raise

    async def report_use(self, transaction_id: str, use: Use, *, environment: Environment) -> None:
        """Do nothing: Google asks nobody before it gives money back."""

    def _ours(self, handle: Handle) -> Handle:
        if handle.package not in self.packages:
            raise PurchaseUnknown("the purchase is of another app")
        return handle

    async def _subscription(self, handle: Handle, now: datetime) -> Fetched:
        purchase = await self.api.subscription(handle.package, handle.token)
        if is_unpaid(purchase) and purchase.linked_purchase_token:
            # What it was to replace goes on, and only that is worth telling.
            with suppress(PurchaseUnknown):
                replaced = replace(handle, token=purchase.linked_purchase_token)
                purchase = await self.api.subscription(replaced.package, replaced.token)
                handle = replaced
        root = await self._root(handle, purchase)
        return Fetched(handle=handle, purchase=purchase, root=root, now=now)

    async def _root(self, handle: Handle, purchase: SubscriptionPurchase) -> str:
        """Follow the chain back to its first token, as far as Google remembers it."""
        token, linked = handle.token, purchase.linked_purchase_token
        seen = {token}
        while linked and linked not in seen and len(seen) < MOST_LINKS:
            token, linked = linked, None
            seen.add(token)
            with suppress(PurchaseUnknown):
                linked = (await self.api.subscription(handle.package, token)).linked_purchase_token
        return token

    async def _voided(
        self, package: str, since: datetime, now: datetime
    ) -> AsyncIterator[VoidedPurchase]:
        page: str | None = None
        for _ in range(MOST_PAGES):
            listed = await self.api.voided(package, since=since, until=now, page=page)
            for voided in listed.voided_purchases:
                yield voided
            page = listed.token_pagination.next_page_token if listed.token_pagination else None
            if page is None:
                return

    async def _read_voided(
        self, package: str, voided: VoidedPurchase, now: datetime
    ) -> StoreNews | None:
        """Read an entry; of a part of the units, only the purchase tells how large it is."""
        if voided.voided_quantity is None:
            return read_voided(voided)
        handle = Handle(bought=Bought.PRODUCT, package=package, token=voided.purchase_token)
        try:
            return await self.current(str(handle), environment=Environment.PRODUCTION, now=now)
        except PurchaseUnknown:
            return None

    async def _is_fulfilled(self, receipt: Receipt) -> bool:
        """Tell whether Google has heard of it before; it refuses to consume a second time."""
        if receipt.duty is not Duty.CONSUME:
            return False
        purchase = await self.api.product(receipt.package, receipt.token)
        return is_consumed(purchase, receipt.product_id)
