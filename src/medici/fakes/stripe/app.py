"""The fake of Stripe as a web application. The API lies under ``/v1``."""

from dataclasses import dataclass

from aiohttp import web

from medici.fakes.plane import Plane
from medici.fakes.serving import MOST_BODY_BYTES
from medici.fakes.stripe.api import Act, Api
from medici.fakes.stripe.ask import Ask
from medici.fakes.stripe.billing import Billing
from medici.fakes.stripe.books import Books
from medici.fakes.stripe.catalogue import Catalogue, Stock
from medici.fakes.stripe.checkouts import Checkouts
from medici.fakes.stripe.control import Control
from medici.fakes.stripe.courier import Courier
from medici.fakes.stripe.desk import Desk
from medici.fakes.stripe.habits import Habits
from medici.fakes.stripe.log import Log
from medici.fakes.stripe.params import Record
from medici.fakes.stripe.payments import Payments
from medici.fakes.stripe.subscriptions import Subscriptions

COURIER = web.AppKey("courier", Courier)
# Where a Medici that was started on the same machine listens.
USUAL_WEBHOOK = "http://127.0.0.1:8000/v1/webhooks/web-billing"
# What the catalogue of a new Medici sells on the web.
USUAL_STOCK = (Stock(lookup_key="pro_monthly_web", name="Pro", plan_id="pro", amount=1499),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """Everything that answers; ``books`` is what they share."""

    books: Books
    catalogue: Catalogue
    payments: Payments
    billing: Billing
    subscriptions: Subscriptions
    checkouts: Checkouts
    desk: Desk


def make_app(*, seed: int) -> web.Application:
    """Build the fake as the command line starts it."""
    return stripe_app(Plane(seed=seed), Habits(webhook_url=USUAL_WEBHOOK), stock=USUAL_STOCK)


def stripe_app(
    plane: Plane, habits: Habits | None = None, *, stock: tuple[Stock, ...] = ()
) -> web.Application:
    """Build the fake around a plane; ``habits`` may be changed while it runs."""
    habits = habits or Habits()
    books = Books(plane)
    log, courier = Log(books, habits), Courier(plane, books, habits)
    log.heard = courier.expect
    rooms = _rooms(books, log)
    for each in stock:
        rooms.catalogue.put(each)
    app = web.Application(client_max_size=MOST_BODY_BYTES)
    app[COURIER] = courier
    app.cleanup_ctx.append(courier.running)
    plane.install(app)
    app.router.add_get("/__fake/deliveries", courier.tell)
    rooms.desk.install(app)
    control = Control(books, log, rooms.checkouts, rooms.subscriptions, rooms.payments)
    control.install(app, habits)
    api = Api(books)
    for operation, method, path, act in _routes(rooms):
        handler = plane.operation(operation, api.handler(act))
        app.router.add_route(method, f"/v1{path}", handler)
    return app


def _rooms(books: Books, log: Log) -> Rooms:
    payments = Payments(books, log)
    billing = Billing(books, log, payments)
    subscriptions = Subscriptions(books, log, billing)
    checkouts = Checkouts(books, log, payments, subscriptions)
    return Rooms(
        books=books,
        catalogue=Catalogue(books),
        payments=payments,
        billing=billing,
        subscriptions=subscriptions,
        checkouts=checkouts,
        desk=Desk(books, checkouts, subscriptions),
    )


def _routes(rooms: Rooms) -> tuple[tuple[str, str, str, Act], ...]:
    """List operation, method, path and act; the operation is what faults are planned for."""
    catalogue, payments, billing = rooms.catalogue, rooms.payments, rooms.billing
    subscriptions, checkouts, books = rooms.subscriptions, rooms.checkouts, rooms.books

    def event(ask: Ask) -> Record:
        return books.get("event", ask.id)

    def events(ask: Ask) -> list[Record]:
        types, since = ask.texts("types"), int(ask.nested("created").get("gte", 0))
        found = [each for each in books.all("event") if each["created"] >= since]
        return [each for each in found if not types or each["type"] in types]

    return (
        ("create_product", "POST", "/products", catalogue.create_product),
        ("list_products", "GET", "/products", catalogue.list_products),
        ("get_product", "GET", "/products/{id}", catalogue.get_product),
        ("update_product", "POST", "/products/{id}", catalogue.update_product),
        ("create_price", "POST", "/prices", catalogue.create_price),
        ("list_prices", "GET", "/prices", catalogue.list_prices),
        ("get_price", "GET", "/prices/{id}", catalogue.get_price),
        ("update_price", "POST", "/prices/{id}", catalogue.update_price),
        ("create_customer", "POST", "/customers", checkouts.create_customer),
        ("list_customers", "GET", "/customers", checkouts.list_customers),
        ("get_customer", "GET", "/customers/{id}", checkouts.get_customer),
        ("create_session", "POST", "/checkout/sessions", checkouts.create),
        ("list_sessions", "GET", "/checkout/sessions", checkouts.find),
        ("get_session", "GET", "/checkout/sessions/{id}", checkouts.get),
        ("line_items", "GET", "/checkout/sessions/{id}/line_items", checkouts.line_items),
        ("expire_session", "POST", "/checkout/sessions/{id}/expire", checkouts.expire),
        ("create_portal", "POST", "/billing_portal/sessions", rooms.desk.open_portal),
        ("create_subscription", "POST", "/subscriptions", subscriptions.create),
        ("list_subscriptions", "GET", "/subscriptions", subscriptions.find),
        ("get_subscription", "GET", "/subscriptions/{id}", subscriptions.get),
        ("update_subscription", "POST", "/subscriptions/{id}", subscriptions.update),
        ("cancel_subscription", "DELETE", "/subscriptions/{id}", subscriptions.cancel),
        ("list_invoices", "GET", "/invoices", billing.list_invoices),
        ("get_invoice", "GET", "/invoices/{id}", billing.get),
        ("list_invoice_payments", "GET", "/invoice_payments", billing.list_payments),
        ("get_intent", "GET", "/payment_intents/{id}", payments.get_intent),
        ("get_charge", "GET", "/charges/{id}", payments.get_charge),
        ("create_refund", "POST", "/refunds", payments.refund),
        ("list_refunds", "GET", "/refunds", payments.list_refunds),
        ("get_refund", "GET", "/refunds/{id}", payments.get_refund),
        ("get_dispute", "GET", "/disputes/{id}", payments.get_dispute),
        ("list_events", "GET", "/events", events),
        ("get_event", "GET", "/events/{id}", event),
    )
