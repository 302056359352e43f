"""Where the customer stands: the pages, and what their buttons do."""

from aiohttp import web

from medici.fakes.stripe.ask import Ask
from medici.fakes.stripe.books import Books
from medici.fakes.stripe.checkouts import Checkouts
from medici.fakes.stripe.page import over_page, pay_page, portal_page
from medici.fakes.stripe.params import Record
from medici.fakes.stripe.problems import Problem
from medici.fakes.stripe.subscriptions import Subscriptions


class Desk:
    def __init__(self, books: Books, checkouts: Checkouts, subscriptions: Subscriptions) -> None:
        self._books = books
        self._checkouts = checkouts
        self._subscriptions = subscriptions

    def install(self, app: web.Application) -> None:
        app.router.add_get("/pay/{id}", self._show)
        app.router.add_post("/pay/{id}", self._pay)
        app.router.add_get("/portal/{id}", self._look)
        app.router.add_post("/portal/{id}", self._cancel)

    def open_portal(self, ask: Ask) -> Record:
        """Answer the vendor's call for a portal session."""
        customer = self._books.get("customer", ask.needed("customer"))
        portal = self._books.new(
            "billing_portal.session",
            "bps",
            {"customer": customer["id"], "return_url": ask.text("return_url")},
        )
        portal["url"] = f"{ask.base}/portal/{portal['id']}"
        return portal

    async def _show(self, request: web.Request) -> web.Response:
        session = self._found("checkout.session", request)
        page = pay_page if session["status"] == "open" else over_page
        return _html(page(session))

    async def _pay(self, request: web.Request) -> web.Response:
        session = self._found("checkout.session", request)
        if session["status"] == "open":
            self._checkouts.pay(session["id"])
        address = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
        return web.Response(status=303, headers={"Location": address})

    async def _look(self, request: web.Request) -> web.Response:
        portal = self._found("billing_portal.session", request)
        found = self._books.all("subscription", customer=portal["customer"])
        return _html(portal_page(found, portal["return_url"] or "#"))

    async def _cancel(self, request: web.Request) -> web.Response:
        portal = self._found("billing_portal.session", request)
        subscription_id = str((await request.post()).get("cancel", ""))
        for found in self._books.all("subscription", customer=portal["customer"]):
            if found["id"] == subscription_id:
                params: Record = {"cancel_at_period_end": "true"}
                self._subscriptions.update(Ask(ids={"id": found["id"]}, params=params, base=""))
        return web.Response(status=303, headers={"Location": request.path})

    def _found(self, kind: str, request: web.Request) -> Record:
        try:
            return self._books.get(kind, request.match_info["id"])
        except Problem as problem:
            raise web.HTTPNotFound(text=str(problem)) from problem


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html")
