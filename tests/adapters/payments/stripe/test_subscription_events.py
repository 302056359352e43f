"""What the events of subscriptions say, in both of Stripe's shapes."""

from datetime import datetime, timedelta

import pytest

from medici.adapters.payments.news import (
    AuthMode,
    Buyer,
    PurchaseState,
    Source,
)
from medici.kernel.environment import Environment
from tests.adapters.payments.stripe.conftest import PRO, Stage, at, is_silent

CREATED = "customer.subscription.created"
UPDATED = "customer.subscription.updated"
DELETED = "customer.subscription.deleted"


class TestSubscriptions:
    async def test_stand_as_bought(self, shaped: Stage) -> None:
        session = await shaped.buy()

        news = await shaped.told(CREATED)

        subscription = await shaped.get(f"subscriptions/{session['subscription']}")
        item = subscription["items"]["data"][0]
        (standing,) = news.standings
        assert (news.source, news.environment) == (Source.WEB, Environment.SANDBOX)
        assert (news.auth_mode, news.event_type) == (AuthMode.NATIVE, CREATED)
        assert news.event_time == at(subscription["created"])
        assert news.buyer == Buyer(
            user_id="ada", customer_id=session["customer"], checkout_id="wcs_1"
        )
        assert (standing.lineage_id, standing.product_id) == (subscription["id"], PRO)
        assert (standing.state, standing.will_renew) == (PurchaseState.ACTIVE, True)
        assert standing.period_start == at(item["current_period_start"])
        assert standing.expires_at == standing.renews_at == at(item["current_period_end"])
        assert (standing.list_price_minor, standing.currency, standing.period) == (
            1000,
            "USD",
            "P1M",
        )

    async def test_stand_on_trial(self, shaped: Stage) -> None:
        await shaped.subscribe(trial_days=14)

        (standing,) = (await shaped.told(CREATED)).standings

        assert standing.state is PurchaseState.TRIALING
        assert standing.started_at is not None
        assert standing.expires_at == standing.started_at + timedelta(days=14)

    async def test_move_on_with_a_renewal(self, shaped: Stage) -> None:
        await shaped.subscribe()
        (before,) = (await shaped.told(CREATED)).standings
        await shaped.order("advance")

        (after,) = (await shaped.told(UPDATED)).standings

        assert after.period_start == before.expires_at
        assert after.state is PurchaseState.ACTIVE

    async def test_keep_access_for_a_week_when_a_renewal_fails(self, shaped: Stage) -> None:
        await shaped.subscribe()
        (before,) = (await shaped.told(CREATED)).standings
        await shaped.order("advance", pays=False)

        (after,) = (await shaped.told(UPDATED)).standings

        assert isinstance(before.expires_at, datetime)
        assert after.state is PurchaseState.GRACE
        assert after.expires_at == before.expires_at
        assert after.grace_expires_at == before.expires_at + timedelta(days=7)
        assert (after.renews_at, after.will_renew) == (None, True)

    async def test_recover(self, shaped: Stage) -> None:
        subscription_id = await shaped.subscribe()
        await shaped.order("advance", pays=False)
        await shaped.order(f"recover/{subscription_id}")

        (standing,) = (await shaped.told(UPDATED)).standings

        assert (standing.state, standing.grace_expires_at) == (PurchaseState.ACTIVE, None)

    async def test_end_with_their_period_when_canceled(self, shaped: Stage) -> None:
        subscription_id = await shaped.subscribe()
        await shaped.post(f"subscriptions/{subscription_id}", cancel_at_period_end="true")

        (standing,) = (await shaped.told(UPDATED)).standings

        assert standing.state is PurchaseState.ACTIVE
        assert (standing.will_renew, standing.renews_at) == (False, None)
        assert standing.expires_at is not None

    async def test_end_at_once(self, shaped: Stage) -> None:
        subscription_id = await shaped.subscribe()
        shaped.plane.advance(timedelta(days=3))
        await shaped.visitor.delete(f"/v1/subscriptions/{subscription_id}")

        news = await shaped.told(DELETED)

        (standing,) = news.standings
        assert standing.state is PurchaseState.EXPIRED
        assert standing.expires_at == news.event_time
        assert standing.cancel_reason == "cancellation_requested"
        assert standing.will_renew is False

    async def test_are_revoked_when_a_dispute_ended_them(self, shaped: Stage) -> None:
        subscription_id = await shaped.subscribe()
        await shaped.order(
            f"set/{subscription_id}",
            fields={
                "status": "canceled",
                "ended_at": int(shaped.now().timestamp()),
                "cancellation_details": {"reason": "payment_disputed"},
            },
            event=DELETED,
        )

        (standing,) = (await shaped.told(DELETED)).standings

        assert standing.state is PurchaseState.REVOKED

    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("incomplete", PurchaseState.PENDING),
            ("incomplete_expired", PurchaseState.EXPIRED),
            ("unpaid", PurchaseState.BILLING_RETRY),
            ("paused", PurchaseState.PAUSED),
        ],
    )
    async def test_have_no_access_otherwise(
        self, shaped: Stage, status: str, state: PurchaseState
    ) -> None:
        subscription_id = await shaped.subscribe()
        await shaped.order(f"set/{subscription_id}", fields={"status": status}, event=UPDATED)

        (standing,) = (await shaped.told(UPDATED)).standings

        assert standing.state is state

    async def test_tell_when_a_pause_ends(self, shaped: Stage) -> None:
        subscription_id, later = await shaped.subscribe(), 1_800_000_000
        fields = {"status": "paused", "pause_collection": {"resumes_at": later}}
        await shaped.order(
            f"set/{subscription_id}", fields=fields, event="customer.subscription.paused"
        )

        (standing,) = (await shaped.told("customer.subscription.paused")).standings

        assert standing.resumes_at == at(later)

    async def test_with_a_status_of_the_future_are_kept_unread(self, shaped: Stage) -> None:
        subscription_id = await shaped.subscribe()
        await shaped.order(f"set/{subscription_id}", fields={"status": "napping"}, event=UPDATED)

        news = await shaped.told(UPDATED)

        assert is_silent(news)
        assert news.remark == "unknown status napping"

    @pytest.mark.parametrize("word", ["resumed", "trial_will_end"])
    async def test_are_told_by_the_other_events_alike(self, shaped: Stage, word: str) -> None:
        subscription_id = await shaped.subscribe()
        kind = f"customer.subscription.{word}"
        await shaped.order(f"set/{subscription_id}", fields={}, event=kind)

        assert len((await shaped.told(kind)).standings) == 1
