"""A profile: credits, what is held, what counts, and when the next credits come."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from medici.domain.billing.models import EntitlementStatus, ResetScheduleRow
from medici.domain.billing.rules import Entitlement
from medici.domain.billing.service.entitlements import set_entitlement
from medici.domain.identity.owner import Owner
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.doors.support import NOW, Hands
from tests.support.studio import Studio

TOKEN = {"X-Admin-Token": "right"}


async def profile(visitor: Visitor, path: str = "me", **options: Any) -> dict[str, Any]:
    answer = await visitor.get(f"/v1/profile/overview/{path}", **options)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def hold_pro(studio: Studio, user_id: str, until: datetime) -> None:
    held = Entitlement(
        plan_id="pro",
        status=EntitlementStatus.ACTIVE,
        product_id="pro_monthly_web",
        original_transaction_id="t1",
        renews_at=until,
        expires_at=until,
        details={"note": "a gift"},
    )
    async with studio.database.transaction() as session:
        await set_entitlement(
            session, owner=Owner.user(user_id), entitlement=held, now=studio.clock()
        )


class TestProfile:
    async def test_of_a_newcomer_has_the_days_credits(self, ada: Visitor) -> None:
        shown = await profile(ada)

        plan, features = shown.pop("effective_plan"), shown.pop("features")
        assert features == plan["features"]
        assert (plan["plan_id"], plan["daily_credits"], plan["monthly_price_usd"]) == ("free", 3, 0)
        assert shown == {
            "user_id": "ada",
            "credits": {"user_id": "ada", "balance": 3},
            "entitlement": {
                "user_id": "ada",
                "plan_id": "free",
                "status": "inactive",
                "source": "manual",
                "product_id": None,
                "original_transaction_id": None,
                "renews_at": None,
                "expires_at": None,
                "metadata": {},
            },
            "next_credit_reset_at": "2026-11-25T00:00:00Z",
        }

    async def test_shows_what_is_held_and_what_counts(
        self, ada: Visitor, studio: Studio, clock: Hands
    ) -> None:
        until = NOW + timedelta(days=1)
        await hold_pro(studio, "ada", until)

        during = await profile(ada)
        clock.advance(timedelta(days=2))
        after = await profile(ada)

        assert during["entitlement"] == {
            "user_id": "ada",
            "plan_id": "pro",
            "status": "active",
            "source": "manual",
            "product_id": "pro_monthly_web",
            "original_transaction_id": "t1",
            "renews_at": "2026-11-25T12:00:00Z",
            "expires_at": "2026-11-25T12:00:00Z",
            "metadata": {"note": "a gift"},
        }
        assert (during["effective_plan"]["plan_id"], during["credits"]["balance"]) == ("pro", 80)
        assert (after["effective_plan"]["plan_id"], after["credits"]["balance"]) == ("free", 3)

    async def test_keeps_a_plan_that_left_the_catalogue(self, ada: Visitor, studio: Studio) -> None:
        await hold_pro(studio, "ada", NOW + timedelta(days=1))
        await ada.client.delete("/v1/admin/plans/pro")

        assert (await profile(ada))["effective_plan"]["plan_id"] == "pro"

    async def test_names_no_reset_while_there_is_none(self, ada: Visitor, studio: Studio) -> None:
        async with studio.database.transaction() as session:
            session.add(ResetScheduleRow(enabled=False, reset_hour_utc=4, reset_minute_utc=30))

        shown = await profile(ada)

        assert (shown["next_credit_reset_at"], shown["credits"]["balance"]) == (None, 0)

    async def test_names_the_reset_that_was_chosen(
        self, ada: Visitor, studio: Studio, clock: Hands
    ) -> None:
        async with studio.database.transaction() as session:
            session.add(ResetScheduleRow(enabled=True, reset_hour_utc=4, reset_minute_utc=30))
        clock.now = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)

        assert (await profile(ada))["next_credit_reset_at"] == "2026-11-24T04:30:00Z"

    async def test_is_ones_own_or_the_operators_to_see(self, ada: Visitor, visit: Visit) -> None:
        operator = await visit("", admin_api_token=SecretStr("right"))

        refused = await ada.get("/v1/profile/overview/bob")
        seen = await profile(operator, "bob", headers=TOKEN)

        assert (refused.status_code, refused.json()["detail"]) == (403, "forbidden_user_scope")
        assert (seen["user_id"], await profile(ada, "ada")) == ("bob", await profile(ada))
