"""How the vendor told its objects before the API version 2025-03-31."""

from collections.abc import Callable, Mapping
from typing import Any

from medici.fakes.stripe.books import Books, listing
from medici.fakes.stripe.params import Record

NEW_VERSION = "2026-10-28.endive"
OLD_VERSION = "2024-06-20"
TURN = "2025-03-31"  # the first version of the new shape


def is_old(version: str) -> bool:
    return version[:10] < TURN


def old(books: Books, told: Any) -> Any:
    """Rewrite an object, and all that are in it."""
    if isinstance(told, list):
        return [old(books, each) for each in told]
    if not isinstance(told, dict):
        return told
    rewritten = {name: old(books, each) for name, each in told.items()}
    rewrite = REWRITES.get(str(told.get("object")))
    return rewrite(books, rewritten) if rewrite else rewritten


def _subscription(_books: Books, told: Record) -> Record:
    items = [dict(item) for item in told["items"]["data"]]
    starts = [item.pop("current_period_start") for item in items]
    ends = [item.pop("current_period_end") for item in items]
    return {
        **told,
        "items": {**told["items"], "data": items},
        "current_period_start": min(starts),
        "current_period_end": max(ends),
    }


def _invoice(books: Books, told: Record) -> Record:
    details = (told.pop("parent") or {}).get("subscription_details") or {}
    payments = books.all("invoice_payment", invoice=told["id"])
    intent_id = payments[0]["payment"]["payment_intent"] if payments else None
    intent = books.find(intent_id)
    return {
        **told,
        "subscription": details.get("subscription"),
        "subscription_details": {"metadata": details.get("metadata", {})},
        "payment_intent": intent_id,
        "charge": intent["latest_charge"] if intent else None,
    }


def _line(books: Books, told: Record) -> Record:
    parent = told.pop("parent")
    details = parent[parent["type"]]
    price = books.find(told.pop("pricing")["price_details"]["price"])
    return {
        **told,
        "price": books.told(price) if price else None,
        "proration": details["proration"],
        "proration_details": details["proration_details"],
        "subscription": details["subscription"],
        "type": "subscription" if parent["type"].startswith("subscription") else "invoiceitem",
    }


def _charge(books: Books, told: Record) -> Record:
    refunds = [books.told(each) for each in books.all("refund", charge=told["id"])]
    return {
        **told,
        "invoice": _invoice_of(books, told["payment_intent"]),
        "refunds": listing(refunds, f"/v1/charges/{told['id']}/refunds"),
    }


def _intent(books: Books, told: Record) -> Record:
    return {**told, "invoice": _invoice_of(books, told["id"])}


def _invoice_of(books: Books, intent_id: str) -> str | None:
    payments = books.all("invoice_payment")
    paid = [each for each in payments if each["payment"]["payment_intent"] == intent_id]
    return paid[0]["invoice"] if paid else None


REWRITES: Mapping[str, Callable[[Books, Record], Record]] = {
    "subscription": _subscription,
    "invoice": _invoice,
    "line_item": _line,
    "charge": _charge,
    "payment_intent": _intent,
}
