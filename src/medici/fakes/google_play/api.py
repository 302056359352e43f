"""The routes of Google's that the fake answers."""

from aiohttp import web

from medici.fakes.faults import Fault, FaultKind
from medici.fakes.google_play.shop import Scripted, Shop
from medici.fakes.plane import FaultyHandler

APP = "/androidpublisher/v3/applications/{package}/purchases"
PAGE = 100
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
}


class Api:
    """Answers about one shop."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def routes(self) -> tuple[tuple[str, str, str, FaultyHandler], ...]:
        return (
            ("certs", "GET", "/oauth2/v3/certs", self.certs),
            ("token", "POST", "/token", self.token),
            ("subscription", "GET", f"{APP}/subscriptionsv2/tokens/{{token}}", self.subscription),
            ("product", "GET", f"{APP}/productsv2/tokens/{{token}}", self.product),
            ("voided", "GET", f"{APP}/voidedpurchases", self.voided),
            ("acknowledge", "POST", f"{APP}/{{sold}}/{{product}}/tokens/{{duty}}", self.fulfil),
        )

    async def certs(self, _request: web.Request, _fault: Fault) -> web.Response:
        return web.json_response(self._shop.google.certs)

    async def token(self, request: web.Request, fault: Fault) -> web.Response:
        form = await request.post()
        address = f"{request.url.origin()}{request.path}"
        assertion, now = str(form.get("assertion", "")), self._shop.plane.now()
        admitted = self._shop.google.admits(assertion, address, now)
        if not admitted or fault.kind is FaultKind.AUTH:
            return web.json_response({"error": "invalid_grant"}, status=400)
        granted = {"token_type": "Bearer", "expires_in": 3599}
        return web.json_response({**granted, "access_token": self._shop.new_access_token()})

    async def subscription(self, request: web.Request, fault: Fault) -> web.Response:
        found = self._shop.subscriptions.get(request.match_info["token"])
        return self._refused(request, fault) or _found(
            found, "androidpublisher#subscriptionPurchaseV2"
        )

    async def product(self, request: web.Request, fault: Fault) -> web.Response:
        found = self._shop.products.get(request.match_info["token"])
        return self._refused(request, fault) or _found(found, "androidpublisher#productPurchaseV2")

    async def voided(self, request: web.Request, fault: Fault) -> web.Response:
        if refused := self._refused(request, fault):
            return refused
        since, until = int(request.query["startTime"]), int(request.query["endTime"])
        within = [
            one for one in self._shop.voided if since <= int(one["voidedTimeMillis"]) <= until
        ]
        start, size = int(request.query.get("token", "0")), int(request.query["maxResults"])
        end = start + min(size, PAGE)
        following = {"tokenPagination": {"nextPageToken": str(end)}} if end < len(within) else {}
        return web.json_response({"voidedPurchases": within[start:end], **following})

    async def fulfil(self, request: web.Request, fault: Fault) -> web.Response:
        if refused := self._refused(request, fault):
            return refused
        product, (token, _, duty) = (
            request.match_info["product"],
            request.match_info["duty"].rpartition(":"),
        )
        match request.match_info["sold"], duty:
            case "products", "consume":
                status = self._shop.consume(product, token)
            case "products" | "subscriptions", "acknowledge":
                status = 204 if self._shop.acknowledge(product, token) else 404
            case _:
                status = 404
        return web.Response(status=status) if status < 300 else problem(status)

    def _refused(self, request: web.Request, fault: Fault) -> web.Response | None:
        """Let in whoever has a token of ours, and refuse whom the fault wants refused."""
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if given not in self._shop.access_tokens or fault.kind is FaultKind.AUTH:
            return problem(401)
        if fault.kind is FaultKind.RATE_LIMITED:
            return problem(429)
        return None if request.match_info["package"] == self._shop.package else problem(404)


def problem(status: int) -> web.Response:
    """Refuse in Google's way."""
    error = {"code": status, "message": "refused by the fake", "status": STATUSES[status]}
    return web.json_response({"error": error}, status=status)


def _found(scripted: Scripted | None, kind: str) -> web.Response:
    return problem(404) if scripted is None else web.json_response({"kind": kind, **scripted})
