"""Setting up at Stripe what we sell, by lookup keys; doing it again changes nothing."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from medici.adapters.payments.stripe.answers import PricePage
from medici.adapters.payments.stripe.errors import StripeRefused
from medici.adapters.payments.stripe.forms import Fields, encoded
from medici.adapters.payments.stripe.price import PLAN, PRODUCT, Price, Product
from medici.adapters.payments.stripe.wire import StripeWire

MOST_KEYS = 10  # that one question may name


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForSale:
    """One product with its price; without ``interval`` it is bought once.

    ``lookup_key`` is what our catalogue calls the product, ``plan_id`` the plan or pack it brings.
    """

    lookup_key: str
    name: str
    plan_id: str
    amount_minor: int
    currency: str
    interval: Literal["day", "week", "month", "year"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    lookup_key: str
    outcome: Outcome
    price_id: str


async def bootstrap_catalogue(wire: StripeWire, items: Sequence[ForSale]) -> tuple[SetUp, ...]:
    """Bring products and prices at Stripe to what ``items`` say, and tell what that took.

    An amount of Stripe's never changes: another amount is a new price, which takes the lookup key
    over. Subscriptions keep the price that they were sold at.

    Raises:
        StripeRefused, StoreUnavailable: as the wire does. Starting again picks up where it ended.
    """
    prices: dict[str, Price] = {}
    for start in range(0, len(items), MOST_KEYS):
        prices |= await _prices(
            wire, [item.lookup_key for item in items[start : start + MOST_KEYS]]
        )
    return tuple([await _set_up(wire, item, prices.get(item.lookup_key)) for item in items])


async def _prices(wire: StripeWire, lookup_keys: list[str]) -> dict[str, Price]:
    fields: Fields = {
        "lookup_keys": lookup_keys,
        "active": True,
        "limit": 100,
        "expand": ["data.product"],
    }
    page = await wire.get(PricePage, "/prices", fields)
    return {price.lookup_key: price for price in page.data if price.lookup_key}


async def _set_up(wire: StripeWire, item: ForSale, price: Price | None) -> SetUp:
    product, outcome = await _product(wire, item, price)
    if price is None:
        price = await _new_price(wire, item, product, replaced=None)
        outcome = Outcome.CREATED
    elif not _is_that(price, item):
        price = await _replaced(wire, item, product, price)
        outcome = Outcome.UPDATED
    return SetUp(lookup_key=item.lookup_key, outcome=outcome, price_id=price.id)


async def _product(wire: StripeWire, item: ForSale, price: Price | None) -> tuple[Product, Outcome]:
    fields: Fields = {"name": item.name, "metadata": {PLAN: item.plan_id}}
    known = price.product if price and price.product else await _known_product(wire, item)
    if known is None:
        fields = {"id": _product_id(item), **fields}
        created = await wire.post(Product, "/products", fields, key=_key("product", fields))
        return created, Outcome.CREATED
    if known.name == item.name and known.metadata.get(PLAN) == item.plan_id:
        return known, Outcome.UNCHANGED
    key = _key("product", {"id": known.id, "was": known.name, "of": known.metadata, **fields})
    updated = await wire.post(Product, f"/products/{known.id}", fields, key=key)
    return updated, Outcome.UPDATED


async def _known_product(wire: StripeWire, item: ForSale) -> Product | None:
    """Find the product that an earlier, interrupted run has made."""
    try:
        return await wire.get(Product, f"/products/{_product_id(item)}")
    except StripeRefused as refused:
        if refused.is_missing:
            return None
        raise


def _product_id(item: ForSale) -> str:
    return f"medici_{item.lookup_key}"


def _is_that(price: Price, item: ForSale) -> bool:
    interval = price.recurring.interval if price.recurring else None
    return (price.unit_amount, price.currency, interval) == (
        item.amount_minor,
        item.currency,
        item.interval,
    )


async def _replaced(wire: StripeWire, item: ForSale, product: Product, old: Price) -> Price:
    new = await _new_price(wire, item, product, replaced=old.id)
    await wire.post(Price, f"/prices/{old.id}", {"active": False}, key=f"retire:{old.id}")
    return new


async def _new_price(
    wire: StripeWire, item: ForSale, product: Product, *, replaced: str | None
) -> Price:
    fields: Fields = {
        "product": product.id,
        "currency": item.currency,
        "unit_amount": item.amount_minor,
        "recurring": {"interval": item.interval} if item.interval else None,
        "lookup_key": item.lookup_key,
        "transfer_lookup_key": True,
        # What it is sold as stays with it when the lookup key moves on.
        "metadata": {PRODUCT: item.lookup_key, PLAN: item.plan_id},
    }
    # An amount that comes back after a change is a new price again, not the old one repeated.
    return await wire.post(Price, "/prices", fields, key=_key(f"price:{replaced}", fields))


def _key(what: str, fields: Fields) -> str:
    return f"catalogue:{what}:{hashlib.sha256(encoded(fields).encode()).hexdigest()[:32]}"
