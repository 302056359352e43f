"""The calls to Google Play's API, each carrying our access token to Google alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from yarl import URL

from medici.adapters.payments.errors import PurchaseUnknown, StoreUnavailable
from medici.adapters.payments.google.account import AccessTokens
from medici.adapters.payments.google.handles import Duty, Receipt, is_plain
from medici.adapters.payments.google.resources import (
    ProductPurchase,
    SubscriptionPurchase,
    VoidedPurchases,
)
from medici.kernel.clock import Clock, system_clock
from medici.kernel.net.client import Limits, OutgoingClient, Response
from medici.kernel.net.errors import RequestFailed, UnsafeUrl
from medici.kernel.net.trust import Credentials

LIMITS = Limits(seconds=20, max_bytes=4 * 1024 * 1024)
GONE = frozenset({400, 404, 410})  # 400: what was asked for cannot be a token of this app
UNAUTHORIZED = 401
WITH_SUBSCRIPTIONS = "1"
PAGE = "1000"

Answer = TypeVar("Answer", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayApi:
    """Speaks to the API at ``base``."""

    outgoing: OutgoingClient
    tokens: AccessTokens
    base: str = "https://androidpublisher.googleapis.com"
    clock: Clock = system_clock

    async def subscription(self, package: str, token: str) -> SubscriptionPurchase:
        """Return how a subscription's token stands.

        Raises:
            PurchaseUnknown: Google knows no such token, or not any more.
            StoreUnavailable: no answer that can be used.
        """
        return _read(await self._purchase("subscriptionsv2", package, token), SubscriptionPurchase)

    async def product(self, package: str, token: str) -> ProductPurchase:
        """Return how the token of something bought once stands; raises as above."""
        return _read(await self._purchase("productsv2", package, token), ProductPurchase)

    async def voided(
        self, package: str, *, since: datetime, until: datetime, page: str | None
    ) -> VoidedPurchases:
        """Return a page of the payments whose money went back; raises as above."""
        query = {
            "startTime": _milliseconds(since),
            "endTime": _milliseconds(until),
            "type": WITH_SUBSCRIPTIONS,
            "includeQuantityBasedPartialRefund": "true",
            "maxResults": PAGE,
            **({"token": page} if page else {}),
        }
        answer = await self._send("GET", package, ("purchases", "voidedpurchases"), query)
        return _read(answer, VoidedPurchases)

    async def fulfil(self, receipt: Receipt) -> None:
        """Tell Google that a payment's customer has what they paid for; raises as above."""
        sold = "subscriptions" if receipt.duty is Duty.ACKNOWLEDGE else "products"
        path = ("purchases", sold, receipt.product_id, "tokens", f"{receipt.token}:{receipt.duty}")
        answer = await self._send("POST", receipt.package, path)
        if not 200 <= answer.status < 300:
            raise _refusal(answer)

    async def _purchase(self, sold: str, package: str, token: str) -> Response:
        if not is_plain(package, token):
            raise PurchaseUnknown("no token of Google's looks like this")
        return await self._send("GET", package, ("purchases", sold, "tokens", token))

    async def _send(
        self,
        method: str,
        package: str,
        path: tuple[str, ...],
        query: Mapping[str, str] | None = None,
    ) -> Response:
        """Ask with the token in use, and once more with a new one if that is not taken."""
        url = URL(self.base).joinpath("androidpublisher", "v3", "applications", package, *path)
        for _ in range(2):
            token = await self.tokens.token(self.clock())
            answer = await self._request(method, str(url.with_query(query or {})), token)
            if answer.status != UNAUTHORIZED:
                break
            self.tokens.forget(token)
        return answer

    async def _request(self, method: str, url: str, token: str) -> Response:
        credentials = Credentials(only_to=url, headers={"Authorization": f"Bearer {token}"})
        try:
            return await self.outgoing.request(
                method, url, limits=LIMITS, redirects=0, credentials=credentials
            )
        except (RequestFailed, UnsafeUrl) as error:
            raise StoreUnavailable(f"Google Play cannot be asked: {error}") from error


def _read(answer: Response, shape: type[Answer]) -> Answer:
    if answer.status != 200:
        raise _refusal(answer)
    try:
        return shape.model_validate_json(answer.body)
    except ValidationError as error:
        raise StoreUnavailable("Google Play's answer cannot be read") from error


def _refusal(answer: Response) -> PurchaseUnknown | StoreUnavailable:
    if answer.status in GONE:
        return PurchaseUnknown(f"Google Play knows no such purchase ({answer.status})")
    return StoreUnavailable(f"Google Play answers {answer.status}")


def _milliseconds(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))
