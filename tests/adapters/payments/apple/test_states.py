"""How a purchase stands by a notification: computed, whatever its type."""

from typing import Any, TypeAlias

import pytest

from medici.adapters.payments.apple.notifications import AppleNotifications
from medici.adapters.payments.news import (
    KEPT,
    AuthMode,
    Buyer,
    Ownership,
    Paid,
    Payment,
    PurchaseState,
    Source,
    Standing,
    StoreNews,
)
from medici.fakes.apple.authority import milliseconds
from medici.kernel.environment import Environment
from tests.adapters.payments.apple.telling import (
    ENDED,
    GRACE_END,
    LINEAGE,
    REVOKED,
    TRANSACTION,
    State,
    standing,
    told,
)
from tests.support.apple import (
    ACCOUNT,
    END,
    NOW,
    START,
)


class TestWholeMessage:
    async def test_tells_the_purchase_and_the_payment(
        self, notifications: AppleNotifications
    ) -> None:
        news = await told(notifications, "SUBSCRIBED", subtype="INITIAL_BUY")

        assert news == StoreNews(
            source=Source.IOS,
            environment=Environment.PRODUCTION,
            event_id="n1",
            event_type="SUBSCRIBED.INITIAL_BUY",
            event_time=NOW,
            auth_mode=AuthMode.NATIVE,
            buyer=Buyer(account_token=ACCOUNT),
            standings=(
                Standing(
                    lineage_id=LINEAGE,
                    product_id="pro_monthly_ios",
                    state=State.ACTIVE,
                    started_at=START,
                    period_start=START,
                    expires_at=END,
                    renews_at=END,
                    will_renew=True,
                    transaction_id=TRANSACTION,
                    list_price_minor=1499,
                    currency="USD",
                    period="P1M",
                    details={
                        "type": "SUBSCRIBED",
                        "subtype": "INITIAL_BUY",
                        "status": 1,
                        "transaction_reason": "PURCHASE",
                    },
                ),
            ),
            payments=(
                Payment(
                    transaction_id=TRANSACTION,
                    product_id="pro_monthly_ios",
                    paid=Paid.PERIOD,
                    paid_at=START,
                    lineage_id=LINEAGE,
                    amount_minor=1499,
                    currency="USD",
                    period_start=START,
                    period_end=END,
                ),
            ),
        )


# What a notification says (type, subtype, transaction, renewal, status), then what follows: the
# state, and whether it renews.
Case: TypeAlias = tuple[
    str, str | None, dict[str, Any], dict[str, Any], int | None, PurchaseState, bool
]
CASES: list[Case] = [
    ("SUBSCRIBED", "RESUBSCRIBE", {}, {}, 1, State.ACTIVE, True),
    ("SUBSCRIBED", "INITIAL_BUY", {"offerDiscountType": "FREE_TRIAL"}, {}, 1, State.TRIALING, True),
    ("DID_RENEW", None, {}, {}, 1, State.ACTIVE, True),
    ("DID_RENEW", "BILLING_RECOVERY", {}, {}, 1, State.ACTIVE, True),
    ("OFFER_REDEEMED", None, {}, {}, 1, State.ACTIVE, True),
    ("OFFER_REDEEMED", "UPGRADE", {}, {}, 1, State.ACTIVE, True),
    ("OFFER_REDEEMED", "INITIAL_BUY", {}, {}, 1, State.ACTIVE, True),
    ("DID_CHANGE_RENEWAL_PREF", "UPGRADE", {}, {}, 1, State.ACTIVE, True),
    ("DID_CHANGE_RENEWAL_PREF", "DOWNGRADE", {}, {}, 1, State.ACTIVE, True),
    ("DID_CHANGE_RENEWAL_PREF", None, {}, {}, 1, State.ACTIVE, True),
    (
        "DID_CHANGE_RENEWAL_STATUS",
        "AUTO_RENEW_DISABLED",
        {},
        {"autoRenewStatus": 0},
        1,
        State.ACTIVE,
        False,
    ),
    ("DID_CHANGE_RENEWAL_STATUS", "AUTO_RENEW_ENABLED", {}, {}, 1, State.ACTIVE, True),
    (
        "DID_CHANGE_RENEWAL_STATUS",
        "AUTO_RENEW_DISABLED",
        REVOKED,
        {"autoRenewStatus": 0},
        5,
        State.REVOKED,
        False,
    ),
    ("DID_FAIL_TO_RENEW", "GRACE_PERIOD", ENDED, {}, 4, State.GRACE, True),
    ("DID_FAIL_TO_RENEW", None, ENDED, {}, 3, State.BILLING_RETRY, True),
    ("GRACE_PERIOD_EXPIRED", None, ENDED, {}, 3, State.BILLING_RETRY, True),
    ("EXPIRED", "VOLUNTARY", ENDED, {"autoRenewStatus": 0}, 2, State.EXPIRED, False),
    ("EXPIRED", "BILLING_RETRY", ENDED, {}, 2, State.EXPIRED, False),
    ("EXPIRED", "PRICE_INCREASE", ENDED, {}, 2, State.EXPIRED, False),
    ("EXPIRED", "PRODUCT_NOT_FOR_SALE", ENDED, {}, 2, State.EXPIRED, False),
    ("PRICE_INCREASE", "PENDING", {}, {"priceIncreaseStatus": 0}, 1, State.ACTIVE, True),
    ("PRICE_INCREASE", "ACCEPTED", {}, {"priceIncreaseStatus": 1}, 1, State.ACTIVE, True),
    ("REVOKE", None, {**REVOKED, "revocationType": "FAMILY_REVOKE"}, {}, 5, State.REVOKED, False),
    ("REVOKE", None, {}, {}, 1, State.REVOKED, False),
    ("RENEWAL_EXTENDED", None, {}, {}, 1, State.ACTIVE, True),
    ("A_TYPE_OF_NEXT_YEAR", "AND_ITS_SUBTYPE", {}, {}, 1, State.ACTIVE, True),
    # Without a status that we know, the dates decide.
    ("DID_RENEW", None, {}, {}, None, State.ACTIVE, True),
    ("DID_RENEW", None, {}, {}, 99, State.ACTIVE, True),
    ("DID_RENEW", None, {"offerType": 1, "price": 0}, {}, None, State.TRIALING, True),
    ("EXPIRED", None, ENDED, {}, None, State.EXPIRED, False),
    (
        "DID_FAIL_TO_RENEW",
        None,
        ENDED,
        {"gracePeriodExpiresDate": milliseconds(GRACE_END)},
        None,
        State.GRACE,
        True,
    ),
    (
        "DID_FAIL_TO_RENEW",
        None,
        ENDED,
        {"isInBillingRetryPeriod": True},
        None,
        State.BILLING_RETRY,
        True,
    ),
    ("DID_RENEW", None, REVOKED, {}, None, State.REVOKED, False),
]


class TestStates:
    @pytest.mark.parametrize("case", CASES, ids=[f"{case[0]}.{case[1]}" for case in CASES])
    async def test_follow_from_what_is_signed(
        self, notifications: AppleNotifications, case: Case
    ) -> None:
        kind, subtype, transaction, renewal, status, *then = case

        found = await standing(
            notifications,
            kind,
            subtype=subtype,
            transaction=transaction,
            renewal=renewal,
            status=status,
        )

        assert [found.state, found.will_renew] == then

    async def test_of_grace_last_until_its_end_and_pay_nothing_new(
        self, notifications: AppleNotifications
    ) -> None:
        news = await told(
            notifications,
            "DID_FAIL_TO_RENEW",
            subtype="GRACE_PERIOD",
            transaction=ENDED,
            renewal={"gracePeriodExpiresDate": milliseconds(GRACE_END)},
            status=4,
        )

        assert news.standings[0].grace_expires_at == GRACE_END
        assert [payment.transaction_id for payment in news.payments] == [TRANSACTION]

    async def test_a_downgrade_waits_for_the_renewal(
        self, notifications: AppleNotifications
    ) -> None:
        found = await standing(
            notifications,
            "DID_CHANGE_RENEWAL_PREF",
            subtype="DOWNGRADE",
            renewal={"autoRenewProductId": "basic_monthly_ios"},
        )

        assert (found.product_id, found.pending_product_id) == (
            "pro_monthly_ios",
            "basic_monthly_ios",
        )

    async def test_a_downgrade_withdrawn_is_gone(self, notifications: AppleNotifications) -> None:
        found = await standing(notifications, "DID_CHANGE_RENEWAL_PREF")

        assert found.pending_product_id is None

    @pytest.mark.parametrize(
        ("intent", "reason"),
        [
            (1, "canceled"),
            (2, "billing_error"),
            (3, "price_increase_refused"),
            (4, "product_unavailable"),
            (5, "other"),
            (9, "intent_9"),
        ],
    )
    async def test_an_end_says_why(
        self, notifications: AppleNotifications, intent: int, reason: str
    ) -> None:
        found = await standing(
            notifications,
            "EXPIRED",
            transaction=ENDED,
            renewal={"expirationIntent": intent},
            status=2,
        )

        assert found.cancel_reason == reason

    async def test_without_a_renewal_the_next_date_stays_what_it_was(
        self, notifications: AppleNotifications
    ) -> None:
        found = await standing(notifications, "DID_RENEW", renewal=None)

        assert (found.renews_at, found.will_renew) == (KEPT, True)

    async def test_values_that_we_do_not_know_are_kept_as_written(
        self, notifications: AppleNotifications
    ) -> None:
        found = await standing(
            notifications,
            "DID_RENEW",
            transaction={"offerDiscountType": "PAY_NEVER", "offerType": 77},
        )

        assert found.details["offer_discount_type"] == "PAY_NEVER"
        assert found.details["offer_type"] == 77

    async def test_a_price_increase_notes_the_consent(
        self, notifications: AppleNotifications
    ) -> None:
        found = await standing(notifications, "PRICE_INCREASE", renewal={"priceIncreaseStatus": 0})

        assert found.details["price_increase_status"] == 0


class TestFamily:
    async def test_shares_without_having_paid(self, notifications: AppleNotifications) -> None:
        news = await told(
            notifications, "SUBSCRIBED", transaction={"inAppOwnershipType": "FAMILY_SHARED"}
        )

        assert news.standings[0].ownership is Ownership.FAMILY
        assert news.payments[0].ownership is Ownership.FAMILY

    async def test_that_is_left_refunds_nothing(self, notifications: AppleNotifications) -> None:
        news = await told(
            notifications,
            "REVOKE",
            transaction={**REVOKED, "revocationType": "FAMILY_REVOKE"},
            status=5,
        )

        assert news.refunds == ()
        assert news.standings[0].cancel_reason == "family_revoked"
