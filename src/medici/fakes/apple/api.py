"""The routes of the App Store Server API that the fake answers."""

import json

from aiohttp import web
from pydantic import ValidationError

from medici.fakes.apple.keys import AppKey
from medici.fakes.apple.shop import Consumption, Purchase, Shop
from medici.fakes.faults import Fault, FaultKind
from medici.fakes.plane import FaultyHandler

PAGE = 20
NO_SUCH = (4040010, "Transaction id not found.")
INVALID = (4000006, "Invalid transaction id.")
BAD_REQUEST = (4000000, "Bad request.")
NO_CONSENT = (4000035, "Invalid request. The customer did not consent.")
SUBSCRIPTION = "Auto-Renewable Subscription"


class Unknown(Exception):
    """The purchase is not in the shop."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.said = (number, message)


class Api:
    """Answers about one shop."""

    def __init__(self, shop: Shop, key: AppKey) -> None:
        self._shop = shop
        self._key = key

    def routes(self) -> tuple[tuple[str, str, str, FaultyHandler], ...]:
        return (
            ("statuses", "GET", "/inApps/v1/subscriptions/{id}", self.statuses),
            ("transaction", "GET", "/inApps/v1/transactions/{id}", self.transaction),
            ("history", "GET", "/inApps/v2/history/{id}", self.history),
            ("notifications", "POST", "/inApps/v1/notifications/history", self.notifications),
            ("use", "PUT", "/inApps/v2/transactions/consumption/{id}", self.use),
        )

    def known(self, handler: FaultyHandler) -> FaultyHandler:
        """Let in whoever has a token for this app, and answer what the fault wants answered."""

        async def checked(request: web.Request, fault: Fault) -> web.StreamResponse:
            now = self._shop.plane.now()
            app = self._key.admits(request.headers.get("Authorization", ""), now)
            if app is None or fault.kind is FaultKind.AUTH:
                return web.Response(status=401, text="Unauthenticated\n")
            if fault.kind is FaultKind.RATE_LIMITED:
                return problem(4290000, "Rate limit exceeded.")
            if app != self._shop.writer.bundle_id:
                return problem(*NO_SUCH)
            try:
                return await handler(request, fault)
            except Unknown as unknown:
                return problem(*unknown.said)

        return checked

    async def statuses(self, request: web.Request, _fault: Fault) -> web.Response:
        purchase = self._asked(request)
        groups = []
        if purchase.status is not None:
            groups = [
                {"subscriptionGroupIdentifier": "1", "lastTransactions": [self._last(purchase)]}
            ]
        return web.json_response({**self._shop.writer.subject, "data": groups})

    async def transaction(self, request: web.Request, _fault: Fault) -> web.Response:
        purchase, wanted = self._asked(request), request.match_info["id"]
        every = (purchase.transaction, *purchase.past)
        exact = [claims for claims in every if claims.get("transactionId") == wanted]
        signed = self._shop.signed_transaction((exact or [purchase.transaction])[0])
        return web.json_response({"signedTransactionInfo": signed})

    async def history(self, request: web.Request, _fault: Fault) -> web.Response:
        purchase = self._asked(request)
        every = sorted(
            (*purchase.past, purchase.transaction), key=lambda claims: claims["purchaseDate"]
        )
        if request.query.get("sort") == "DESCENDING":
            every.reverse()
        start = int(request.query.get("revision", "0"))
        page = [self._shop.signed_transaction(one) for one in every[start : start + PAGE]]
        end = start + len(page)
        return web.json_response(
            {
                **self._shop.writer.subject,
                "signedTransactions": page,
                "revision": str(end),
                "hasMore": end < len(every),
            }
        )

    async def notifications(self, request: web.Request, _fault: Fault) -> web.Response:
        wanted = await request.json()
        within = [
            told for told in self._shop.told if wanted["startDate"] <= told.at <= wanted["endDate"]
        ]
        start = int(request.query.get("paginationToken", "0"))
        page = within[start : start + PAGE]
        more = start + PAGE < len(within)
        return web.json_response(
            {
                "notificationHistory": [
                    {"signedPayload": told.signed, "sendAttempts": []} for told in page
                ],
                "hasMore": more,
                **({"paginationToken": str(start + PAGE)} if more else {}),
            }
        )

    async def use(self, request: web.Request, _fault: Fault) -> web.Response:
        """Take how much of a payment was used, for which the customer must have consented."""
        purchase = self._asked(request)
        try:
            told = Consumption.model_validate_json(await request.read())
        except ValidationError:
            return problem(*BAD_REQUEST)
        if not told.customer_consented:
            return problem(*NO_CONSENT)
        lasting = purchase.transaction.get("type", SUBSCRIPTION) == SUBSCRIPTION
        if told.percentage is not None and (lasting or (told.percentage and not told.delivered)):
            return problem(*BAD_REQUEST)
        self._shop.used[request.match_info["id"]] = told
        return web.Response(status=202)

    def _asked(self, request: web.Request) -> Purchase:
        """Return the purchase that the path names.

        Raises:
            Unknown: there is none.
        """
        wanted = request.match_info["id"]
        purchase = self._shop.find(wanted)
        if purchase is None:
            raise Unknown(*(NO_SUCH if wanted.isdigit() else INVALID))
        return purchase

    def _last(self, purchase: Purchase) -> dict[str, object]:
        renewal = purchase.renewal
        return {
            "status": purchase.status,
            "originalTransactionId": purchase.transaction["originalTransactionId"],
            "signedTransactionInfo": self._shop.signed_transaction(purchase.transaction),
            **(
                {} if renewal is None else {"signedRenewalInfo": self._shop.signed_renewal(renewal)}
            ),
        }


def problem(number: int, message: str) -> web.Response:
    """Refuse in Apple's way: the status is the beginning of the number, no charset is named."""
    body = json.dumps({"errorCode": number, "errorMessage": message}).encode()
    return web.Response(body=body, status=number // 10_000, content_type="application/json")
