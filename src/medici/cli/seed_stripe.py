"""Setting up at Stripe what our catalogue sells on the web."""

from collections.abc import Iterator
from fractions import Fraction

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.currencies import minor_units
from medici.adapters.payments.stripe.answers import PricePage
from medici.adapters.payments.stripe.catalogue import ForSale, bootstrap_catalogue
from medici.adapters.payments.stripe.wire import StripeWire
from medici.cli.process import at_work, command_settings
from medici.domain.plans.queries import packs_in_order, plans_in_order
from medici.doors.studio.refunds import StripeNotConfigured
from medici.kernel.environment import Environment
from medici.resources import Resources

MODE = {Environment.PRODUCTION: "live", Environment.SANDBOX: "test"}


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
        typer.echo(f"# {len(items)} products, Stripe's {MODE[wire.environment]} mode")
        for item in items:
            await _set_up(wire, item)


def _wire(resources: Resources) -> StripeWire:
    if resources.receivers.checkout is None:
        raise StripeNotConfigured
    return resources.receivers.checkout.wire
