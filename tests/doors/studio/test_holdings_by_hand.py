"""An operator's word about what somebody holds, over HTTP: given by hand, or above everything."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from medici.domain.identity.models import AuditEntry
from tests.doors.studio.conftest import Visit
from tests.doors.studio.relaying import MONTH_ON, relay
from tests.doors.studio.selling import held, plan_in_effect
from tests.doors.studio.visitor import Visitor
from tests.support.studio import Studio

ENTITLEMENTS = "/v1/subscriptions/entitlements"
OVERRIDES = "/v1/admin/subscriptions/overrides"
TOKEN = SecretStr("an operator's token")
PROOF = {"X-Admin-Token": TOKEN.get_secret_value()}
PRO_A_DAY = 80


async def override(visitor: Visitor, user_id: str = "ada", **changed: Any) -> httpx.Response:
    form = {"plan_id": "pro", "expires_at": MONTH_ON, "reason": "a friend", **changed}
    return await visitor.client.put(f"{OVERRIDES}/{user_id}", json=form, headers=PROOF)


async def give(visitor: Visitor, user_id: str = "ada", **form: Any) -> httpx.Response:
    return await visitor.client.put(f"{ENTITLEMENTS}/{user_id}", json=form, headers=PROOF)


async def audited(studio: Studio) -> list[AuditEntry]:
    async with studio.database.reading() as session:
        return list(await session.scalars(select(AuditEntry).order_by(AuditEntry.id)))


def told(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()["detail"]


class TestOverride:
    async def test_beats_every_purchase_until_its_end(
        self, visit: Visit, ada: Visitor, studio: Studio
    ) -> None:
        operator = await visit("", admin_api_token=TOKEN)
        await relay(ada, "e1")
        await override(operator, plan_id="free", expires_at="2026-11-24T13:00:00Z")
        plans = [await plan_in_effect(ada)]

        studio.clock.advance(timedelta(hours=2))
        plans.append(await plan_in_effect(ada))

        assert plans == ["free", "pro"]

    async def test_gives_the_days_credits_at_once(self, visit: Visit, ada: Visitor) -> None:
        operator = await visit("", admin_api_token=TOKEN)

        answer = await override(operator)

        assert answer.json()["plan_id"] == "pro"
        assert await ada.balance() == PRO_A_DAY

    async def test_is_audited_with_who_and_why(self, visit: Visit, studio: Studio) -> None:
        operator = await visit("", admin_api_token=TOKEN)
        await override(operator)
        await operator.client.delete(
            f"{OVERRIDES}/ada", params={"reason": "a mistake"}, headers=PROOF
        )

        entries = await audited(studio)

        assert [(entry.action, entry.reason, entry.target_id) for entry in entries] == [
            ("entitlement_overridden", "a friend", "ada"),
            ("entitlement_override_removed", "a mistake", "ada"),
        ]
        assert {entry.proof for entry in entries} == {"admin_token"}

    async def test_removed_lets_purchases_count_again(self, visit: Visit, ada: Visitor) -> None:
        operator = await visit("", admin_api_token=TOKEN)
        await relay(ada, "e1")
        await override(operator, plan_id="free")

        answer = await operator.client.delete(f"{OVERRIDES}/ada", headers=PROOF)

        assert (answer.status_code, answer.json()["plan_id"]) == (200, "pro")
        again = await operator.client.delete(f"{OVERRIDES}/ada", headers=PROOF)
        assert told(again) == (404, "override_not_found")

    async def test_refuses_what_makes_no_sense(self, visit: Visit, studio: Studio) -> None:
        operator = await visit("", admin_api_token=TOKEN)

        past = await override(operator, expires_at="2026-11-24T12:00:00Z")
        unknown = await override(operator, plan_id="nothing")

        assert told(past)[1] == "end_must_be_in_the_future"
        assert told(unknown) == (404, "plan_not_found")
        for changed in (
            {"reason": ""},
            {"reason": "a\x00b"},
            {"expires_at": "tomorrow"},
            {"expires_at": "9999-12-31T23:59:59-12:00"},
            {"plan_id": "a\x00b"},
        ):
            assert (await override(operator, **changed)).status_code == 422
        assert await audited(studio) == []

    async def test_is_for_operators(self, visit: Visit, studio: Studio) -> None:
        ada = await visit("ada", admin_api_token=TOKEN)

        answer = await ada.client.put(
            f"{OVERRIDES}/ada", json={"plan_id": "pro", "expires_at": MONTH_ON, "reason": "me"}
        )

        assert answer.status_code in {401, 403}
        assert await audited(studio) == []


class TestGiving:
    async def test_by_hand_is_audited_with_before_and_after(
        self, visit: Visit, ada: Visitor, studio: Studio
    ) -> None:
        operator = await visit("", admin_api_token=TOKEN)

        answer = await give(operator, plan_id="pro", expires_at=MONTH_ON, metadata={"note": "x"})

        assert answer.status_code == 200
        assert await held(ada) == ("pro", "active", "manual")
        (entry,) = await audited(studio)
        assert entry.action == "entitlement_set"
        assert entry.before is not None
        assert entry.after is not None
        assert (entry.before["plan_id"], entry.after["plan_id"]) == ("free", "pro")

    async def test_stands_beside_what_was_bought(self, visit: Visit, ada: Visitor) -> None:
        operator = await visit("", admin_api_token=TOKEN)
        await relay(ada, "e1")

        await give(operator, plan_id="free", status="inactive")

        assert await held(ada) == ("pro", "active", "web")

    async def test_in_the_name_of_a_store_is_still_by_hand(
        self, visit: Visit, ada: Visitor
    ) -> None:
        operator = await visit("", admin_api_token=TOKEN)
        await give(operator, plan_id="pro", source="ios", original_transaction_id="o1")

        await relay(ada, "e1", "storekit", status="expired", original_transaction_id="o1")

        assert await plan_in_effect(ada) == "pro"

    async def test_is_for_operators(self, visit: Visit, studio: Studio) -> None:
        ada = await visit("ada", admin_api_token=TOKEN)

        answer = await ada.client.put(f"{ENTITLEMENTS}/ada", json={"plan_id": "pro"})

        assert answer.status_code in {401, 403}
        assert await plan_in_effect(ada) == "free"

    async def test_twice_under_one_key_is_once(self, visit: Visit, studio: Studio) -> None:
        operator = await visit("", admin_api_token=TOKEN)
        headers = {**PROOF, "Idempotency-Key": "k1"}
        for _ in range(2):
            await operator.client.put(
                f"{ENTITLEMENTS}/ada", json={"plan_id": "pro"}, headers=headers
            )

        assert len(await audited(studio)) == 1

    @pytest.mark.parametrize(
        "form",
        [
            {},
            {"plan_id": "pro", "status": "odd"},
            {"plan_id": "pro", "source": "elsewhere"},
            {"plan_id": "pro", "expires_at": "0001-01-01T00:00:00+14:00"},
            {"plan_id": "pro", "metadata": []},
        ],
    )
    async def test_refuses_other_forms(self, visit: Visit, form: dict[str, Any]) -> None:
        operator = await visit("", admin_api_token=TOKEN)

        assert (await give(operator, **form)).status_code == 422

    async def test_takes_no_other_columns(self, visit: Visit, ada: Visitor) -> None:
        operator = await visit("", admin_api_token=TOKEN)

        await give(operator, plan_id="pro", owner_id="bob", override=True)

        assert await plan_in_effect(ada) == "pro"
        winner = (await ada.get(f"{ENTITLEMENTS}/ada/why")).json()["winner"]
        assert winner["because"] is None
        assert await held(ada) == ("pro", "active", "manual")
