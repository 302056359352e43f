"""Subscriptions: begun, renewed, changed, ended."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from medici.fakes.stripe.ask import Ask, whole_number
from medici.fakes.stripe.billing import Billing, Sold
from medici.fakes.stripe.books import Books, listing
from medici.fakes.stripe.log import Log
from medici.fakes.stripe.params import Record
from medici.fakes.stripe.problems import Problem

LENGTHS = {"day": timedelta(days=1), "week": timedelta(weeks=1)}
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """What a subscription begins with."""

    customer: str
    price: str
    quantity: int = 1
    trial_days: int = 0
    metadata: Record = field(default_factory=dict)


class Subscriptions:
    def __init__(self, books: Books, log: Log, billing: Billing) -> None:
        self._books = books
        self._log = log
        self._billing = billing

    def begin(self, wish: Begin) -> Record:
        """Begin a subscription and have its first invoice paid; a trial's is for nothing."""
        price = self._books.get("price", wish.price)
        if price["recurring"] is None:
            raise Problem("The price must be recurring.", param="line_items")
        now = self._books.now()
        trial_end = now + wish.trial_days * DAY_SECONDS if wish.trial_days else None
        subscription = self._books.new("subscription", "sub", _first(wish, price, now, trial_end))
        item = self._item(subscription, price, wish.quantity, now)
        item["current_period_end"] = trial_end or _later(now, price["recurring"])
        amount = 0 if trial_end else price["unit_amount"] * wish.quantity
        self._log.happened("customer.subscription.created", subscription)
        self._billing.bill(subscription, "subscription_create", [_period(item, amount)], pays=True)
        return subscription

    def create(self, ask: Ask) -> Record:
        item = next(iter(ask.several("items")), {})
        self._books.get("customer", ask.needed("customer"))
        return self.begin(
            Begin(
                customer=ask.needed("customer"),
                price=str(item.get("price")),
                quantity=whole_number("quantity", item.get("quantity")) or 1,
                trial_days=ask.number("trial_period_days") or 0,
                metadata=ask.nested("metadata"),
            )
        )

    def get(self, ask: Ask) -> Record:
        return self._books.get("subscription", ask.id)

    def find(self, ask: Ask) -> list[Record]:
        return self._books.all(
            "subscription", customer=ask.text("customer"), status=ask.text("status")
        )

    def update(self, ask: Ask) -> Record:
        subscription = self._books.get("subscription", ask.id)
        subscription["metadata"] |= ask.nested("metadata")
        if (ends := ask.flag("cancel_at_period_end")) is not None:
            subscription["cancel_at_period_end"] = ends
            end = subscription["items"]["data"][0]["current_period_end"]
            subscription["cancel_at"] = end if ends else None
        at_once = ask.text("proration_behavior") == "always_invoice"
        for item in ask.several("items"):
            self._change_price(subscription, str(item.get("price")), bills=at_once)
        self._log.happened("customer.subscription.updated", subscription)
        return subscription

    def cancel(self, ask: Ask) -> Record:
        return self.end(self._books.get("subscription", ask.id), "cancellation_requested")

    def end(self, subscription: Record, reason: str) -> Record:
        now = self._books.now()
        subscription |= {"status": "canceled", "canceled_at": now, "ended_at": now}
        subscription["cancellation_details"] = {"reason": reason}
        self._log.happened("customer.subscription.deleted", subscription)
        return subscription

    def renew(self, subscription: Record, *, pays: bool) -> Record:
        """Move on to the next period, whatever the clock says; it may stay unpaid."""
        if subscription["cancel_at_period_end"]:
            return self.end(subscription, "cancellation_requested")
        item = subscription["items"]["data"][0]
        price = self._books.get("price", item["price"])
        item["current_period_start"] = item["current_period_end"]
        item["current_period_end"] = _later(item["current_period_start"], price["recurring"])
        amount = price["unit_amount"] * item["quantity"]
        subscription["status"] = "active" if pays else "past_due"
        lines = [_period(item, amount)]
        self._billing.bill(subscription, "subscription_cycle", lines, pays=pays)
        self._log.happened("customer.subscription.updated", subscription)
        return subscription

    def recover(self, subscription: Record) -> Record:
        """Have an overdue invoice paid after all."""
        self._billing.pay(self._books.get("invoice", subscription["latest_invoice"]))
        subscription["status"] = "active"
        self._log.happened("customer.subscription.updated", subscription)
        return subscription

    def _change_price(self, subscription: Record, price_id: str, *, bills: bool) -> None:
        """Sell another price from now on, and bill the difference at once or not at all."""
        item = subscription["items"]["data"][0]
        old = self._books.get("price", item["price"])
        new = self._books.get("price", price_id)
        if old["id"] == new["id"]:
            return
        item["price"] = new["id"]
        if bills and subscription["status"] != "trialing":
            lines = _difference(item, old, new, self._books.now(), subscription["latest_invoice"])
            self._billing.bill(subscription, "subscription_update", lines, pays=True)

    def _item(self, subscription: Record, price: Record, quantity: int, start: int) -> Record:
        item: Record = {
            "id": f"si_{self._books.plane.new_id().replace('-', '')[:24]}",
            "object": "subscription_item",
            "created": start,
            "current_period_start": start,
            "current_period_end": start,
            "metadata": {},
            "price": price["id"],
            "quantity": quantity,
            "subscription": subscription["id"],
        }
        subscription["items"]["data"].append(item)
        return item


def _first(wish: Begin, price: Record, now: int, trial_end: int | None) -> dict[str, Any]:
    return {
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"reason": None},
        "collection_method": "charge_automatically",
        "currency": price["currency"],
        "customer": wish.customer,
        "ended_at": None,
        "items": listing([], "/v1/subscription_items"),
        "latest_invoice": None,
        "metadata": dict(wish.metadata),
        "pause_collection": None,
        "schedule": None,
        "start_date": now,
        "status": "trialing" if trial_end else "active",
        "trial_end": trial_end,
        "trial_start": now if trial_end else None,
    }


def _period(item: Record, amount: int) -> Sold:
    return Sold(
        price=item["price"],
        amount=amount,
        start=item["current_period_start"],
        end=item["current_period_end"],
        quantity=item["quantity"],
    )


def _later(start: int, recurring: Record) -> int:
    """Return the end of a period that begins then; a month keeps its day as far as it can."""
    interval, count = recurring["interval"], recurring["interval_count"]
    moment = datetime.fromtimestamp(start, UTC)
    if interval in LENGTHS:
        return int((moment + LENGTHS[interval] * count).timestamp())
    months = moment.month - 1 + count * (12 if interval == "year" else 1)
    year, month = moment.year + months // 12, months % 12 + 1
    for day in range(moment.day, 27, -1):
        try:
            return int(moment.replace(year=year, month=month, day=day).timestamp())
        except ValueError:
            continue
    return int(moment.replace(year=year, month=month).timestamp())


def _difference(item: Record, old: Record, new: Record, now: int, invoice: str) -> list[Sold]:
    """Give back what is left of the old price, and charge the new one for the same time."""
    start, end, quantity = (
        item["current_period_start"],
        item["current_period_end"],
        item["quantity"],
    )
    left, whole = max(end - now, 0), end - start
    credit, charge = (round(price["unit_amount"] * quantity * left / whole) for price in (old, new))
    common = {"start": now, "end": end, "quantity": quantity, "proration": True}
    return [
        Sold(price=old["id"], amount=-credit, credited=invoice, **common),
        Sold(price=new["id"], amount=charge, **common),
    ]
