"""Customers, checkouts and how they end."""

from medici.fakes.stripe.ask import Ask, whole_number
from medici.fakes.stripe.books import Books, listing
from medici.fakes.stripe.log import Log
from medici.fakes.stripe.params import Record
from medici.fakes.stripe.payments import Payments
from medici.fakes.stripe.problems import Problem, required
from medici.fakes.stripe.subscriptions import Begin, Subscriptions

DAY_SECONDS = 86_400
PAID_NOTHING = "no_payment_required"


class Checkouts:
    def __init__(
        self, books: Books, log: Log, payments: Payments, subscriptions: Subscriptions
    ) -> None:
        self._books = books
        self._log = log
        self._payments = payments
        self._subscriptions = subscriptions

    def create_customer(self, ask: Ask) -> Record:
        customer = self._customer(ask.text("email"), ask.nested("metadata"))
        customer["name"] = ask.text("name")
        return customer

    def get_customer(self, ask: Ask) -> Record:
        return self._books.get("customer", ask.id)

    def list_customers(self, ask: Ask) -> list[Record]:
        return self._books.all("customer", email=ask.text("email"))

    def create(self, ask: Ask) -> Record:
        mode = ask.needed("mode")
        if mode not in {"payment", "subscription"}:
            raise Problem(f"Invalid mode: {mode}", param="mode")
        if customer := ask.text("customer"):
            self._books.get("customer", customer)
        lines = self._lines(ask, mode)
        ask.needed("success_url")
        session = self._books.new("checkout.session", "cs_test", _session(ask, mode, lines))
        session["url"] = f"{ask.base}/pay/{session['id']}"
        session["expires_at"] = ask.number("expires_at") or session["created"] + DAY_SECONDS
        return session

    def get(self, ask: Ask) -> Record:
        return self._books.get("checkout.session", ask.id)

    def line_items(self, ask: Ask) -> Record:
        lines: Record = self._books.get("checkout.session", ask.id)["_line_items"]
        return lines

    def find(self, ask: Ask) -> list[Record]:
        return self._books.all("checkout.session", customer=ask.text("customer"))

    def expire(self, ask: Ask) -> Record:
        session = self._open(ask.id)
        session |= {"status": "expired", "url": None}
        self._log.happened("checkout.session.expired", session)
        return session

    def pay(self, session_id: str, *, delayed: bool = False) -> Record:
        """Complete a checkout; a ``delayed`` payment of a pack comes later, or never."""
        session = self._open(session_id)
        session["customer"] = session["customer"] or self._customer(session["_email"], {})["id"]
        session |= {"status": "complete", "url": None}
        if session["mode"] == "subscription":
            session["subscription"] = self._begin(session)["id"]
            session["payment_status"] = "paid" if session["amount_total"] else PAID_NOTHING
        elif not delayed:
            self._take(session)
        self._log.happened("checkout.session.completed", session)
        return session

    def settle(self, session_id: str, *, pays: bool) -> Record:
        """Have a delayed payment come, or fail."""
        session = self._books.get("checkout.session", session_id)
        if pays:
            self._take(session)
        word = "succeeded" if pays else "failed"
        self._log.happened(f"checkout.session.async_payment_{word}", session)
        return session

    def _open(self, session_id: str) -> Record:
        session = self._books.get("checkout.session", session_id)
        if session["status"] != "open":
            raise Problem(f"This checkout is {session['status']}.")
        return session

    def _customer(self, email: str | None, metadata: Record) -> Record:
        customer = self._books.new(
            "customer", "cus", {"email": email, "name": None, "metadata": metadata}
        )
        self._log.happened("customer.created", customer)
        return customer

    def _lines(self, ask: Ask, mode: str) -> list[Record]:
        items = ask.several("line_items")
        if not items:
            raise required("line_items")
        return [self._line(item, mode) for item in items]

    def _line(self, item: Record, mode: str) -> Record:
        price = self._books.get("price", str(item.get("price")))
        if mode == "payment" and price["recurring"]:
            message = "You specified `payment` mode but passed a recurring price."
            raise Problem(message, param="line_items")
        quantity = whole_number("quantity", item.get("quantity")) or 1
        return {
            "id": f"li_{self._books.plane.new_id().replace('-', '')[:24]}",
            "object": "item",
            "amount_total": price["unit_amount"] * quantity,
            "currency": price["currency"],
            "description": self._books.get("product", price["product"])["name"],
            "price": price,
            "quantity": quantity,
        }

    def _begin(self, session: Record) -> Record:
        line, data = session["_line_items"]["data"][0], session["_subscription_data"]
        return self._subscriptions.begin(
            Begin(
                customer=session["customer"],
                price=line["price"]["id"],
                quantity=line["quantity"],
                trial_days=session["_trial_days"],
                metadata=data.get("metadata", {}),
            )
        )

    def _take(self, session: Record) -> None:
        amount = session["amount_total"]
        if amount:
            metadata = session["_payment_intent_data"].get("metadata", {})
            intent = self._payments.pay(amount, session["currency"], session["customer"], metadata)
            session["payment_intent"] = intent["id"]
        session["payment_status"] = "paid" if amount else PAID_NOTHING


def _session(ask: Ask, mode: str, lines: list[Record]) -> Record:
    data = ask.nested("subscription_data")
    trial_days = whole_number("trial_period_days", data.get("trial_period_days")) or 0
    total = 0 if trial_days else sum(line["amount_total"] for line in lines)
    return {
        "amount_subtotal": total,
        "amount_total": total,
        "cancel_url": ask.text("cancel_url"),
        "client_reference_id": ask.text("client_reference_id"),
        "currency": lines[0]["currency"],
        "customer": ask.text("customer"),
        "expires_at": None,
        "metadata": ask.nested("metadata"),
        "mode": mode,
        "payment_intent": None,
        "payment_status": "unpaid",
        "status": "open",
        "subscription": None,
        "success_url": ask.text("success_url"),
        "_email": ask.text("customer_email"),
        "_line_items": listing(lines, "/v1/checkout/sessions/line_items"),
        "_payment_intent_data": ask.nested("payment_intent_data"),
        "_subscription_data": data,
        "_trial_days": trial_days,
    }
