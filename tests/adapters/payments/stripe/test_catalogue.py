"""Setting up what is sold, as often as one likes."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from medici.adapters.payments.errors import StoreUnavailable
from medici.adapters.payments.stripe.catalogue import ForSale, Outcome, bootstrap_catalogue
from medici.fakes.faults import FaultKind
from tests.adapters.payments.stripe.conftest import CATALOGUE, PACK, PRO, STUDIO, Stage

PRO_ITEM = CATALOGUE[0]


async def set_up(stage: Stage, items: Sequence[ForSale] = CATALOGUE) -> dict[str, Outcome]:
    done = await bootstrap_catalogue(stage.wire, items)
    return {each.lookup_key: each.outcome for each in done}


class TestBootstrapCatalogue:
    async def test_creates_what_is_missing(self, empty_stage: Stage) -> None:
        done = await set_up(empty_stage)

        prices = (await empty_stage.get("prices?expand[0]=data.product"))["data"]
        assert done == dict.fromkeys((PRO, STUDIO, PACK), Outcome.CREATED)
        assert {price["lookup_key"]: price["unit_amount"] for price in prices} == {
            PRO: 1000,
            STUDIO: 3000,
            PACK: 499,
        }
        assert {price["product"]["metadata"]["medici_plan"] for price in prices} == {
            "pro",
            "studio",
            "pack_100",
        }
        assert {price["type"] for price in prices} == {"recurring", "one_time"}

    async def test_changes_nothing_the_second_time(self, stage: Stage) -> None:
        before = len(stage.asked("create_price"))

        done = await set_up(stage)

        assert done == dict.fromkeys((PRO, STUDIO, PACK), Outcome.UNCHANGED)
        assert len(stage.asked("create_price")) == before
        assert stage.asked("update_price") == stage.asked("update_product") == []

    async def test_has_a_new_price_take_the_key_over(self, stage: Stage) -> None:
        (old,) = (await stage.get(f"prices?lookup_keys[0]={PRO}"))["data"]

        done = await set_up(stage, [replace(PRO_ITEM, amount_minor=1200)])

        (new,) = (await stage.get(f"prices?lookup_keys[0]={PRO}"))["data"]
        retired = await stage.get(f"prices/{old['id']}")
        assert done == {PRO: Outcome.UPDATED}
        assert (new["unit_amount"], new["product"]) == (1200, old["product"])
        assert (retired["active"], retired["lookup_key"]) == (False, None)

    async def test_keeps_the_name_of_those_who_bought_at_the_old_price(self, stage: Stage) -> None:
        subscription_id = await stage.subscribe()
        await set_up(stage, [replace(PRO_ITEM, amount_minor=1200)])
        await stage.order(
            f"set/{subscription_id}", fields={}, event="customer.subscription.updated"
        )

        (standing,) = (await stage.told("customer.subscription.updated")).standings

        assert (standing.product_id, standing.list_price_minor) == (PRO, 1000)

    async def test_can_go_back_to_an_amount(self, stage: Stage) -> None:
        await set_up(stage, [replace(PRO_ITEM, amount_minor=1200)])

        done = await set_up(stage, [PRO_ITEM])

        (price,) = (await stage.get(f"prices?lookup_keys[0]={PRO}&active=true"))["data"]
        assert (done, price["unit_amount"]) == ({PRO: Outcome.UPDATED}, 1000)

    async def test_renames_a_product(self, stage: Stage) -> None:
        done = await set_up(stage, [replace(PRO_ITEM, name="Professional")])

        product = await stage.get(f"products/medici_{PRO}")
        assert (done, product["name"]) == ({PRO: Outcome.UPDATED}, "Professional")

    async def test_picks_up_where_it_was_interrupted(self, empty_stage: Stage) -> None:
        empty_stage.fail(FaultKind.RESET_BEFORE_BODY, "create_price")
        with pytest.raises(StoreUnavailable):
            await set_up(empty_stage, [PRO_ITEM])
        empty_stage.plane.faults.set()

        done = await set_up(empty_stage, [PRO_ITEM])

        assert done == {PRO: Outcome.CREATED}
        assert len((await empty_stage.get("products"))["data"]) == 1

    async def test_asks_for_ten_keys_at_a_time(self, empty_stage: Stage) -> None:
        items = [
            replace(PRO_ITEM, lookup_key=f"plan_{number}", name=f"Plan {number}")
            for number in range(11)
        ]

        done = await set_up(empty_stage, items)

        assert set(done.values()) == {Outcome.CREATED}
        assert len(empty_stage.asked("list_prices")) == 2
