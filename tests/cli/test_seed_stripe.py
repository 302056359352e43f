"""The catalogue is set up at Stripe from the shell."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from medici.domain.plans.models import Pack, Plan
from medici.domain.plans.service import install_defaults
from medici.kernel.clock import system_clock
from tests.cli.conftest import Shell
from tests.cli.test_fakes import fake
from tests.support.databases import opened


@dataclass(frozen=True, kw_only=True)
class Stripe:
    """A stand-in in a process of its own, which sells the default plan at its default price."""

    settings: dict[str, str]

    def prices(self, lookup_key: str, **more: str) -> list[dict[str, Any]]:
        found = httpx.get(
            f"{self.settings['STRIPE_API_BASE']}/v1/prices",
            params={"lookup_keys[]": lookup_key, "expand[]": "data.product", **more},
            headers={"Authorization": f"Bearer {self.settings['STRIPE_SECRET_KEY']}"},
        )
        return list(found.json()["data"])

    def writes(self) -> int:
        asked = httpx.get(f"{self.settings['STRIPE_API_BASE']}/__fake/requests").json()
        return sum(1 for each in asked if each["method"] == "POST")

    def sell_by_the_year(self, lookup_key: str) -> None:
        sold = httpx.post(
            f"{self.settings['STRIPE_API_BASE']}/v1/prices",
            data={
                "lookup_key": lookup_key,
                "currency": "usd",
                "unit_amount": "9900",
                "recurring[interval]": "year",
                "product": self.prices("pro_monthly_web")[0]["product"]["id"],
            },
            headers={"Authorization": f"Bearer {self.settings['STRIPE_SECRET_KEY']}"},
        )
        assert sold.status_code == 200, sold.text


@pytest.fixture
def stripe(shell_on_either: Shell) -> Iterator[Stripe]:
    with fake(shell_on_either.directory, "stripe") as (_, told):
        yield Stripe(settings=dict(line.split("=", 1) for line in told[1:]))


async def put_on_sale(database_url: str) -> None:
    """Sell a pack on the web beside the plan of the defaults, and a plan that is not sold there."""
    now = system_clock()
    async with opened(database_url) as database, database.transaction() as session:
        await install_defaults(session, now=now)
        session.add(
            Pack(
                pack_id="forty",
                display_name="40 credits",
                is_active=True,
                credits=40,
                price_cents=499,
                web_product_id="pack_web",
                updated_at=now,
            )
        )


async def change_plan(database_url: str, **changes: Any) -> None:
    async with opened(database_url) as database, database.transaction() as session:
        plan = await session.get_one(Plan, "pro")
        for name, value in changes.items():
            setattr(plan, name, value)


class TestSeedStripe:
    def test_sets_up_what_is_sold_on_the_web(self, shell_on_either: Shell, stripe: Stripe) -> None:
        asyncio.run(put_on_sale(shell_on_either.database_url))

        mode, plan, pack = shell_on_either.done("seed", "stripe", **stripe.settings)

        (made,) = stripe.prices("pack_web")
        assert mode == "# Stripe, test mode"
        assert plan.startswith("unchanged pro_monthly_web price_")
        assert pack == f"created pack_web {made['id']}"
        assert (made["unit_amount"], made["currency"], made["recurring"]) == (499, "usd", None)
        assert (made["product"]["name"], made["metadata"]["medici_plan"]) == ("40 credits", "forty")

    def test_changes_nothing_the_second_time(self, shell_on_either: Shell, stripe: Stripe) -> None:
        asyncio.run(put_on_sale(shell_on_either.database_url))
        shell_on_either.done("seed", "stripe", **stripe.settings)
        before = stripe.writes()

        _, *told = shell_on_either.done("seed", "stripe", **stripe.settings)

        assert [line.split()[0] for line in told] == ["unchanged", "unchanged"]
        assert stripe.writes() == before

    def test_follows_the_price_of_the_catalogue(
        self, shell_on_either: Shell, stripe: Stripe
    ) -> None:
        shell_on_either.done("seed")
        asyncio.run(change_plan(shell_on_either.database_url, monthly_price_cents=1999))

        _, plan = shell_on_either.done("seed", "stripe", **stripe.settings)

        (price,) = stripe.prices("pro_monthly_web", active="true")
        assert plan == f"updated pro_monthly_web {price['id']}"
        assert (price["unit_amount"], price["recurring"]["interval"]) == (1999, "month")

    def test_sells_in_another_currency(self, shell_on_either: Shell, stripe: Stripe) -> None:
        asyncio.run(put_on_sale(shell_on_either.database_url))

        shell_on_either.done("seed", "stripe", "--currency", "JPY", **stripe.settings)

        (pack,) = stripe.prices("pack_web")
        assert (pack["unit_amount"], pack["currency"]) == (5, "jpy")

    def test_leaves_what_is_sold_by_the_year(self, shell_on_either: Shell, stripe: Stripe) -> None:
        shell_on_either.done("seed")
        asyncio.run(change_plan(shell_on_either.database_url, web_product_id="pro_yearly_web"))
        stripe.sell_by_the_year("pro_yearly_web")

        _, told = shell_on_either.done("seed", "stripe", **stripe.settings)

        (price,) = stripe.prices("pro_yearly_web", active="true")
        assert told == "left pro_yearly_web: sold for every 1 year"
        assert price["unit_amount"] == 9900

    def test_says_that_nothing_is_sold(self, shell_on_either: Shell, stripe: Stripe) -> None:
        shell_on_either.done("seed")
        asyncio.run(change_plan(shell_on_either.database_url, web_product_id=None))

        _, told = shell_on_either.done("seed", "stripe", **stripe.settings)

        assert told == "nothing has a web_product_id"


class TestRefusals:
    def test_needs_a_key(self, shell: Shell) -> None:
        assert shell.refused("seed", "stripe") == (
            "medici: STRIPE_SECRET_KEY is not set (stripe_not_configured)"
        )

    def test_tells_that_stripe_does_not_take_the_key(
        self, shell_on_either: Shell, stripe: Stripe
    ) -> None:
        wrong = stripe.settings | {"STRIPE_SECRET_KEY": "nonsense"}

        assert shell_on_either.refused("seed", "stripe", **wrong).endswith("(store_refused)")

    def test_takes_currencies_alone(self, shell: Shell) -> None:
        assert shell.run("seed", "stripe", "--currency", "dollars").exit_code == 2
