"""An operator gives money back: once, through Stripe, and the credits follow."""

from typing import Any

import httpx
from sqlalchemy import delete, select

from medici.domain.billing.models import StoreTransaction
from medici.domain.identity.models import AuditEntry
from medici.doors.studio.selling.work import COMPLETE_REFUND
from medici.fakes.faults import Fault, FaultKind, Rule
from medici.jobs.models import Job
from tests.doors.studio.conftest import Visit
from tests.doors.studio.selling import Selling, plan_in_effect, told_by_apple, told_by_stripe
from tests.doors.studio.visitor import Visitor
from tests.support.stores import PACK_CREDITS, PERIOD_CREDITS, Stores
from tests.support.studio import Studio

NOBODY = "00000000-0000-7000-8000-000000000000"
ADMIN = "/v1/admin/subscriptions/transactions"


async def bought(visitor: Visitor, stores: Stores, **what: str) -> str:
    """Have a visitor buy on the web; return the id of the payment."""
    answer = await visitor.post(
        "/v1/subscriptions/web/checkout-session",
        json={
            "user_id": visitor.user_id,
            "success_url": "https://app.example/thanks",
            "cancel_url": "https://app.example/",
            **what,
        },
    )
    assert answer.status_code == 200, answer.text
    session_id = answer.json()["checkout_url"].rpartition("/")[2]
    await stores.stripe.order(f"pay/{session_id}")
    await told_by_stripe(visitor, stores)
    await stores.studio.work()
    return await only_payment(visitor)


async def only_payment(visitor: Visitor) -> str:
    (paid,) = (await visitor.get("/v1/subscriptions/transactions/me")).json()
    return str(paid["id"])


async def payment(visitor: Visitor) -> tuple[int, int, int]:
    """Return what of a visitor's only payment has gone back: money, credits, and those unpaid."""
    (paid,) = (await visitor.get("/v1/subscriptions/transactions/me")).json()
    return paid["refunded_minor"], paid["revoked_credits"], paid["unrecovered_credits"]


async def refund(
    visitor: Visitor, payment_id: str, amount_minor: int | None = None, *, key: str | None = None
) -> httpx.Response:
    body: dict[str, Any] = {"reason": "they asked"}
    if amount_minor is not None:
        body["amount_minor"] = amount_minor
    headers = {"Idempotency-Key": key} if key else {}
    return await visitor.post(f"{ADMIN}/{payment_id}/refund", json=body, headers=headers)


async def given(
    visitor: Visitor, payment_id: str, amount_minor: int | None = None, *, key: str | None = None
) -> dict[str, Any]:
    answer = await refund(visitor, payment_id, amount_minor, key=key)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def refused(
    visitor: Visitor, payment_id: str, amount_minor: int | None = None, *, key: str | None = None
) -> tuple[int, str]:
    answer = await refund(visitor, payment_id, amount_minor, key=key)
    return answer.status_code, answer.json()["detail"]


async def audited(studio: Studio) -> list[AuditEntry]:
    async with studio.database.reading() as session:
        rows = await session.scalars(
            select(AuditEntry)
            .where(AuditEntry.action.startswith("refund_"))
            .order_by(AuditEntry.id)
        )
        return list(rows)


class TestRefund(Selling):
    async def test_takes_the_plan_and_its_credits_with_the_money(
        self, ada: Visitor, stores: Stores
    ) -> None:
        payment_id = await bought(ada, stores, plan_id="pro")
        assert await plan_in_effect(ada) == "pro"

        made = await given(ada, payment_id)
        await stores.studio.work()

        assert made == {
            "transaction_id": payment_id,
            "refund_id": made["refund_id"],
            "amount_minor": 1499,
            "currency": "USD",
            "status": "succeeded",
        }
        assert await payment(ada) == (1499, PERIOD_CREDITS, 0)
        assert await plan_in_effect(ada) == "free"

    async def test_takes_credits_back_in_proportion(self, ada: Visitor, stores: Stores) -> None:
        payment_id = await bought(ada, stores, pack_id="forty")
        before = await ada.balance()

        made = await given(ada, payment_id, 250)
        await stores.studio.work()

        assert made["amount_minor"] == 250
        assert await payment(ada) == (250, 21, 0)
        assert await ada.balance() == before - 21

    async def test_counts_once_what_the_store_tells_of_it_too(
        self, ada: Visitor, stores: Stores
    ) -> None:
        payment_id = await bought(ada, stores, pack_id="forty")
        await given(ada, payment_id)

        await told_by_stripe(ada, stores)
        await stores.studio.work()
        await told_by_stripe(ada, stores)

        assert await payment(ada) == (499, PACK_CREDITS, 0)

    async def test_follows_from_the_event_where_nobody_asks(
        self, ada: Visitor, stores: Stores
    ) -> None:
        payment_id = await bought(ada, stores, pack_id="forty")
        await given(ada, payment_id)
        async with stores.studio.database.transaction() as session:
            await session.execute(delete(Job).where(Job.kind == COMPLETE_REFUND.name))

        await told_by_stripe(ada, stores)
        await stores.studio.work()

        assert await payment(ada) == (499, PACK_CREDITS, 0)

    async def test_is_audited_before_and_after(self, ada: Visitor, stores: Stores) -> None:
        payment_id = await bought(ada, stores, pack_id="forty")

        made = await given(ada, payment_id, 100)

        asked, done = await audited(stores.studio)
        assert (asked.action, asked.after) == ("refund_requested", {"amount_minor": 100})
        assert (done.action, done.after) == (
            "refund_given",
            {"amount_minor": 100, "refund_id": made["refund_id"], "status": "succeeded"},
        )
        assert {(one.target_kind, one.target_id, one.reason) for one in (asked, done)} == {
            ("store_transaction", payment_id, "they asked")
        }


class TestAskingAgain(Selling):
    async def test_gives_the_same_amount_once(self, ada: Visitor, stores: Stores) -> None:
        payment_id = await bought(ada, stores, pack_id="forty")

        first = await given(ada, payment_id, 100)
        await stores.studio.work()
        second = await given(ada, payment_id, 100)
        await stores.studio.work()

        assert first == second
        assert (await payment(ada))[0] == 100

    async def test_gives_it_again_under_another_key(self, ada: Visitor, stores: Stores) -> None:
        payment_id = await bought(ada, stores, pack_id="forty")

        made = [await given(ada, payment_id, 100, key=each) for each in "aba"]
        await stores.studio.work()

        assert made[0] == made[2] != made[1]
        assert (await payment(ada))[0] == 200

    async def test_answers_a_key_as_before_when_all_has_gone(
        self, ada: Visitor, stores: Stores
    ) -> None:
        payment_id = await bought(ada, stores, pack_id="forty")
        first = await given(ada, payment_id, key="a")
        await stores.studio.work()

        assert await given(ada, payment_id, key="a") == first
        assert await refused(ada, payment_id) == (409, "nothing_to_refund")
        assert await refused(ada, payment_id, key="b") == (
            409,
            "nothing_to_refund",
        )

    async def test_refuses_a_key_that_meant_something_else(
        self, ada: Visitor, stores: Stores
    ) -> None:
        payment_id = await bought(ada, stores, pack_id="forty")
        await given(ada, payment_id, 100, key="a")

        assert await refused(ada, payment_id, 200, key="a") == (
            422,
            "idempotency_key_reused",
        )

    async def test_gives_once_what_was_given_before_the_answer_was_lost(
        self, ada: Visitor, stores: Stores
    ) -> None:
        payment_id = await bought(ada, stores, pack_id="forty")
        stores.stripe.plane.faults.set(
            Rule(
                fault=Fault(kind=FaultKind.RESET_AFTER_BODY),
                operation="create_refund",
                calls=(1, 2),
            )
        )

        assert await refused(ada, payment_id, 100) == (503, "store_unavailable")
        assert [one.action for one in await audited(stores.studio)] == ["refund_requested"]
        await given(ada, payment_id, 100)
        await stores.studio.work()

        assert (await payment(ada))[0] == 100


class TestRefusals(Selling):
    async def test_leaves_other_stores_to_themselves(self, ada: Visitor, stores: Stores) -> None:
        token = (await ada.get("/v1/subscriptions/account-token")).json()["app_account_token"]
        original = stores.apple_sells(appAccountToken=token)
        await told_by_apple(ada, stores.apple_tells("SUBSCRIBED", original, "INITIAL_BUY"))

        answer = await refund(ada, await only_payment(ada))

        assert (answer.status_code, answer.json()) == (
            409,
            {
                "detail": "refund_in_the_store",
                "message": "Apple alone refunds: the customer asks at "
                "https://reportaproblem.apple.com.",
            },
        )
        assert await audited(stores.studio) == []

    async def test_knows_its_payments(self, ada: Visitor) -> None:
        assert await refused(ada, NOBODY) == (404, "transaction_not_found")

    async def test_gives_no_more_than_is_left(self, ada: Visitor, stores: Stores) -> None:
        payment_id = await bought(ada, stores, pack_id="forty")
        await given(ada, payment_id, 400)
        await stores.studio.work()

        answer = await refund(ada, payment_id, 100)

        assert (answer.status_code, answer.json()) == (
            400,
            {"detail": "refund_exceeds_payment", "left_minor": 99},
        )

    async def test_says_what_stripe_has_against_it(self, ada: Visitor, stores: Stores) -> None:
        payment_id = await bought(ada, stores, pack_id="forty")
        await given(ada, payment_id, 400, key="a")

        answer = await refund(ada, payment_id, 100, key="b")

        assert (answer.status_code, answer.json()) == (
            409,
            {"detail": "refund_refused", "reason": "invalid_request_error"},
        )

    async def test_does_not_blame_the_operator_for_our_key(
        self, ada: Visitor, stores: Stores
    ) -> None:
        payment_id = await bought(ada, stores, pack_id="forty")
        stores.stripe.plane.faults.set(
            Rule(fault=Fault(kind=FaultKind.AUTH), operation="create_refund")
        )

        assert await refused(ada, payment_id) == (502, "store_refused")

    async def test_needs_stripe(self, ada: Visitor, stores: Stores, visit: Visit) -> None:
        payment_id = await bought(ada, stores, pack_id="forty")
        ada.app.state.resources = stores.with_settings(stripe_secret_key=None).studio.resources

        assert await refused(ada, payment_id) == (409, "stripe_not_configured")

    async def test_gives_back_nothing_that_stripe_has_not_taken(
        self, ada: Visitor, stores: Stores
    ) -> None:
        payment_id = await bought(ada, stores, pack_id="forty")
        async with stores.studio.database.transaction() as session:
            paid = (await session.scalars(select(StoreTransaction))).one()
            paid.transaction_id, paid.amount_minor = "relayed-1", None

        assert await refused(ada, payment_id) == (409, "refund_in_the_store")
