"""Plans and packs over HTTP: prices to the cent, strict forms, products sold once."""

from typing import Any

import httpx
import pytest
from sqlalchemy import delete, select

from medici.domain.plans import queries
from medici.jobs.models import Job
from tests.doors.studio.visitor import Visitor
from tests.support.studio import Studio

FREE = {
    "plan_id": "free",
    "display_name": "Free",
    "is_active": True,
    "daily_credits": 3,
    "preview_cost_credits": 1,
    "final_cost_credits": 2,
    "monthly_price_usd": 0.0,
    "ios_product_id": None,
    "android_product_id": None,
    "web_product_id": None,
    "features": ["daily_free_credits", "preview_generation"],
    "period_credits": 0,
    "trial_credits": 0,
}
TEAM = {"display_name": "Team", "daily_credits": 200, "monthly_price_usd": 29.99}
FIFTY = {"display_name": "Fifty", "credits": 50, "price_usd": 4.99, "ios_product_id": "fifty_ios"}


async def put(visitor: Visitor, path: str, form: dict[str, Any], **query: str) -> httpx.Response:
    return await visitor.client.put(f"/v1/admin/{path}", json=form, params=query)


def told(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()["detail"]


async def looks(studio: Studio) -> list[dict[str, object]]:
    """Return for which plans billing is to look at purchases anew."""
    async with studio.database.reading() as session:
        jobs = await session.scalars(select(Job).where(Job.kind == "billing.rederive_plan"))
        return [dict(job.args) for job in jobs]


class TestPlans:
    async def test_are_listed_cheapest_first(self, ada: Visitor) -> None:
        await put(ada, "plans/team", TEAM)

        listed = (await ada.get("/v1/admin/plans")).json()

        assert listed[0] == FREE
        assert [plan["plan_id"] for plan in listed] == ["free", "pro", "team"]
        assert (await ada.get("/v1/admin/plans/free")).json() == FREE

    async def test_come_in_pages_and_by_what_they_are(self, ada: Visitor) -> None:
        await put(ada, "plans/team", {**TEAM, "is_active": False})
        await ada.client.delete("/v1/admin/plans/pro")

        async def ids(**query: Any) -> tuple[list[str], str | None]:
            answer = await ada.get("/v1/admin/plans", params=query)
            return [each["plan_id"] for each in answer.json()], answer.headers.get("x-next-cursor")

        first, cursor = await ids(limit=1)
        assert (first, await ids(limit=1, cursor=cursor)) == (["free"], (["team"], None))
        assert await ids(is_active=True) == (["free"], None)
        assert await ids(deleted=True) == (["pro"], None)

    async def test_are_answered_as_they_were_saved(self, ada: Visitor) -> None:
        saved = await put(ada, "plans/team", {**TEAM, "period_credits": 100, "features": ["x"]})

        assert saved.status_code == 200
        assert saved.json() == {
            **FREE,
            **TEAM,
            "plan_id": "team",
            "features": ["x"],
            "period_credits": 100,
        }

    async def test_can_be_sent_back_as_they_came(self, ada: Visitor) -> None:
        pro = (await ada.get("/v1/admin/plans/pro")).json()

        assert (await put(ada, "plans/pro", pro)).json() == pro

    @pytest.mark.parametrize(
        ("price", "cents"), [(0, 0), (0.1, 10), (14.99, 1499), (0.29, 29), (19, 1900), (1e6, 10**8)]
    )
    async def test_cost_what_was_said_to_the_cent(
        self, ada: Visitor, studio: Studio, price: float, cents: int
    ) -> None:
        saved = await put(ada, "plans/team", {**TEAM, "monthly_price_usd": price})

        assert saved.json()["monthly_price_usd"] == price
        async with studio.database.reading() as session:
            plan = await queries.plan_by_id(session, "team")
            assert plan is not None
            assert plan.monthly_price_cents == cents

    @pytest.mark.parametrize(
        "change",
        [
            {"monthly_price_usd": 14.999},
            {"monthly_price_usd": 1e-7},
            {"monthly_price_usd": -1},
            {"monthly_price_usd": "14.99"},
            {"monthly_price_usd": True},
            {"monthly_price_usd": None},
            {"monthly_price_usd": 1e300},
            {"daily_credits": -1},
            {"daily_credits": 1.5},
            {"daily_credits": "3"},
            {"display_name": ""},
            {"features": "all"},
            {"web_product_id": "two words"},
            {"monthly_price": 3},
            {"daily_credit": 3},
        ],
    )
    async def test_refuse_what_makes_no_sense(self, ada: Visitor, change: dict[str, Any]) -> None:
        refused = await put(ada, "plans/team", {**TEAM, **change})

        assert refused.status_code == 422
        assert (await ada.get("/v1/admin/plans/team")).status_code == 404

    async def test_take_an_empty_field_for_none(self, ada: Visitor) -> None:
        saved = await put(ada, "plans/team", {**TEAM, "ios_product_id": ""}, reason="", actor="")

        assert (saved.status_code, saved.json()["ios_product_id"]) == (200, None)
        (entry,) = (await ada.get("/v1/admin/product-audit")).json()
        assert (entry["actor"], entry["reason"]) == ("open_mode", None)

    async def test_have_one_id(self, ada: Visitor) -> None:
        assert told(await put(ada, "plans/team", {**TEAM, "plan_id": "crew"})) == (
            422,
            "id_mismatch",
        )

    async def test_leave_the_catalogue(self, ada: Visitor) -> None:
        gone = await ada.client.delete("/v1/admin/plans/pro")

        assert (gone.status_code, gone.json()) == (200, {"deleted": True})
        assert told(await ada.client.delete("/v1/admin/plans/pro")) == (404, "plan_not_found")
        assert told(await ada.get("/v1/admin/plans/pro")) == (404, "plan_not_found")
        assert told(await ada.client.delete("/v1/admin/plans/free")) == (409, "plan_required")

    async def test_come_back_when_they_are_saved(self, ada: Visitor) -> None:
        pro = (await ada.get("/v1/admin/plans/pro")).json()
        await ada.client.delete("/v1/admin/plans/pro")

        await put(ada, "plans/pro", pro)

        assert (await ada.get("/v1/admin/plans/pro")).json() == pro

    async def test_share_no_product(self, ada: Visitor) -> None:
        refused = await put(ada, "plans/team", {**TEAM, "web_product_id": "pro_monthly_web"})

        assert (refused.status_code, refused.json()) == (
            409,
            {
                "detail": "product_id_taken",
                "store": "web",
                "product_id": "pro_monthly_web",
                "taken_by": "plan:pro",
            },
        )

    async def test_are_made_once_for_an_idempotency_key(self, ada: Visitor) -> None:
        key = {"Idempotency-Key": "a"}
        first = await ada.client.put("/v1/admin/plans/team", json=TEAM, headers=key)
        again = await ada.client.put("/v1/admin/plans/team", json=TEAM, headers=key)

        assert again.json() == first.json()
        assert again.headers["idempotency-replayed"] == "true"
        assert len((await ada.get("/v1/admin/product-audit")).json()) == 1

    @pytest.mark.parametrize(
        ("change", "looked_at"),
        [
            ({"monthly_price_usd": 30}, True),
            ({"web_product_id": "team_web"}, True),
            ({"is_active": False}, True),
            ({"daily_credits": 300}, False),
            ({"display_name": "Crew", "features": ["x"], "period_credits": 5}, False),
        ],
    )
    async def test_have_their_customers_looked_at_where_it_may_matter(
        self, ada: Visitor, studio: Studio, change: dict[str, Any], looked_at: bool
    ) -> None:
        await put(ada, "plans/team", TEAM)
        async with studio.database.transaction() as session:
            await session.execute(delete(Job))

        await put(ada, "plans/team", {**TEAM, **change})

        assert await looks(studio) == ([{"plan_id": "team"}] if looked_at else [])

    async def test_have_their_customers_looked_at_when_they_go(
        self, ada: Visitor, studio: Studio
    ) -> None:
        await ada.client.delete("/v1/admin/plans/pro")

        assert await looks(studio) == [{"plan_id": "pro"}]


class TestPacks:
    async def test_are_made_listed_and_deleted(self, ada: Visitor) -> None:
        made = await put(ada, "packs/fifty", {**FIFTY, "sort_order": 2})
        await put(ada, "packs/ten", {"display_name": "Ten", "credits": 10, "price_usd": 1})

        assert made.json() == {
            "pack_id": "fifty",
            "display_name": "Fifty",
            "is_active": True,
            "credits": 50,
            "price_usd": 4.99,
            "ios_product_id": "fifty_ios",
            "android_product_id": None,
            "web_product_id": None,
            "sort_order": 2,
        }
        listed = await ada.get("/v1/admin/packs", params={"limit": 1})
        rest = {"limit": 1, "cursor": listed.headers["x-next-cursor"]}
        assert [pack["pack_id"] for pack in listed.json()] == ["ten"]
        assert (await ada.get("/v1/admin/packs", params=rest)).json() == [made.json()]
        assert (await ada.get("/v1/admin/packs/fifty")).json() == made.json()
        assert (await ada.client.delete("/v1/admin/packs/fifty")).json() == {"deleted": True}
        assert told(await ada.client.delete("/v1/admin/packs/fifty")) == (404, "pack_not_found")

    async def test_share_no_product_with_plans(self, ada: Visitor) -> None:
        await put(ada, "packs/fifty", FIFTY)

        refused = await put(ada, "plans/team", {**TEAM, "ios_product_id": "fifty_ios"})

        assert told(refused) == (409, "product_id_taken")
        assert refused.json()["taken_by"] == "pack:fifty"

    @pytest.mark.parametrize("change", [{"credits": 0}, {"price_usd": 0.001}, {"amount": 3}])
    async def test_refuse_what_makes_no_sense(self, ada: Visitor, change: dict[str, Any]) -> None:
        assert (await put(ada, "packs/fifty", {**FIFTY, **change})).status_code == 422
