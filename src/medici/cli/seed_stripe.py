"""Setting up at Stripe what our catalogue sells on the web."""

from collections.abc import AsyncIterator, Sequence
from fractions import Fraction

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.currencies import minor_units
from medici.adapters.payments.stripe.answers import PricePage
from medici.adapters.payments.stripe.catalogue import (
    MOST_KEYS,
    ForSale,
    SetUp,
    bootstrap_catalogue,
)
from medici.adapters.payments.stripe.forms import Fields
from medici.adapters.payments.stripe.wire import StripeWire
from medici.cli.process import at_work, command_settings
from medici.domain.plans.queries import packs_in_order, plans_in_order
from medici.doors.studio.selling.refunds import StripeNotConfigured
from medici.kernel.environment import Environment
from medici.resources import Resources

MODE = {Environment.PRODUCTION: "live", Environment.SANDBOX: "test"}
MONTH = ("month", 1)


async def seed_stripe(currency: str) -> None:
    """Bring products and prices at Stripe to the catalogue, and tell what became of each.

    Raises:
        StripeNotConfigured: there is no key to ask Stripe with.
        StripeRefused, StoreUnavailable: as ``bootstrap_catalogue`` does.
    """
    async with at_work(command_settings()) as resources:
        wire = _wire(resources)
        async with resources.database.reading() as session:
            items = [item async for item in _sold_on_the_web(session, currency.lower())]
        others = await _sold_otherwise(wire, items)
        monthly_or_once = [item for item in items if item.lookup_key not in others]
        _tell(wire, await bootstrap_catalogue(wire, monthly_or_once), others)


def _wire(resources: Resources) -> StripeWire:
    if resources.receivers.checkout is None:
        raise StripeNotConfigured
    return resources.receivers.checkout.wire


async def _sold_on_the_web(session: AsyncSession, currency: str) -> AsyncIterator[ForSale]:
    """Give plans, cheapest first, then packs in their order."""
    for plan in await session.scalars(plans_in_order()):
        if plan.web_product_id:
            yield ForSale(
                lookup_key=plan.web_product_id,
                name=plan.display_name,
                plan_id=plan.plan_id,
                amount_minor=_amount(plan.monthly_price_cents, currency),
                currency=currency,
                interval="month",
            )
    for pack in await session.scalars(packs_in_order()):
        if pack.web_product_id:
            yield ForSale(
                lookup_key=pack.web_product_id,
                name=pack.display_name,
                plan_id=pack.pack_id,
                amount_minor=_amount(pack.price_cents, currency),
                currency=currency,
            )


def _amount(cents: int, currency: str) -> int:
    """Write a price, which we keep in hundredths, in the currency's own smallest unit."""
    return minor_units(Fraction(cents, 100), currency)


async def _sold_otherwise(wire: StripeWire, items: Sequence[ForSale]) -> dict[str, str]:
    """Return the plans that somebody sells by another period than ours, and by which.

    Our catalogue knows a yearly plan by its monthly equivalent alone, so its price is not ours to
    set.
    """
    keys = [item.lookup_key for item in items if item.interval]
    found: dict[str, str] = {}
    for start in range(0, len(keys), MOST_KEYS):
        asked: Fields = {
            "lookup_keys": keys[start : start + MOST_KEYS],
            "active": True,
            "limit": 100,
        }
        for price in (await wire.get(PricePage, "/prices", asked)).data:
            sold = price.recurring
            if price.lookup_key and sold and (sold.interval, sold.interval_count) != MONTH:
                found[price.lookup_key] = f"sold for every {sold.interval_count} {sold.interval}"
    return found


def _tell(wire: StripeWire, done: Sequence[SetUp], others: dict[str, str]) -> None:
    typer.echo(f"# Stripe, {MODE[wire.environment]} mode")
    for each in done:
        typer.echo(f"{each.outcome} {each.lookup_key} {each.price_id}")
    for lookup_key, how in others.items():
        typer.echo(f"left {lookup_key}: {how}")
    if not done and not others:
        typer.echo("nothing has a web_product_id")
