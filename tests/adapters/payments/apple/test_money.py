"""What a notification says was paid, and what went back."""

from fractions import Fraction

import pytest

from medici.adapters.payments.apple.notifications import AppleNotifications
from medici.adapters.payments.news import (
    Paid,
    Refund,
)
from medici.fakes.apple.authority import milliseconds
from tests.adapters.payments.apple.telling import (
    ENDED,
    REVOKED,
    REVOKED_AT,
    TRANSACTION,
    State,
    standing,
    told,
)
from tests.support.apple import (
    END,
    NOW,
    START,
)


class TestRefunds:
    async def test_tell_of_the_payment_alone(self, notifications: AppleNotifications) -> None:
        news = await told(notifications, "REFUND", transaction=REVOKED, status=5)

        assert (news.standings, news.payments) == ((), ())
        assert news.refunds == (
            Refund(
                refund_id=TRANSACTION,
                transaction_id=TRANSACTION,
                at=REVOKED_AT,
                amount_minor=1499,
                reason="issue_in_app",
            ),
        )

    @pytest.mark.parametrize(
        ("percentage", "share", "amount"),
        [
            (100_000, Fraction(1), 1499),
            (25_000, Fraction(1, 4), 375),
            (33_333, Fraction(33_333, 100_000), 500),
            (None, Fraction(1), 1499),
            (200_000, Fraction(1), 1499),
        ],
    )
    async def test_may_be_of_a_share(
        self,
        notifications: AppleNotifications,
        percentage: int | None,
        share: Fraction,
        amount: int,
    ) -> None:
        said = {**REVOKED, "revocationType": "REFUND_PRORATED", "revocationPercentage": percentage}

        (refund,) = (await told(notifications, "REFUND", transaction=said)).refunds

        assert (refund.share, refund.amount_minor) == (share, amount)

    async def test_without_a_date_are_of_when_they_were_told(
        self, notifications: AppleNotifications
    ) -> None:
        (refund,) = (await told(notifications, "REFUND")).refunds

        assert (refund.at, refund.share) == (NOW, Fraction(1))

    async def test_are_undone_with_the_period_that_still_runs(
        self, notifications: AppleNotifications
    ) -> None:
        news = await told(notifications, "REFUND_REVERSED")

        assert [refund.reversed for refund in news.refunds] == [True]
        assert news.refunds[0].refund_id == TRANSACTION
        assert news.refunds[0].at == NOW
        assert news.standings[0].state is State.ACTIVE

    async def test_of_an_old_period_are_undone_without_a_word_about_today(
        self, notifications: AppleNotifications
    ) -> None:
        news = await told(notifications, "REFUND_REVERSED", transaction=ENDED)

        assert (len(news.refunds), news.standings) == (1, ())

    async def test_are_told_by_whatever_shows_them(self, notifications: AppleNotifications) -> None:
        news = await told(notifications, "EXPIRED", transaction=REVOKED, status=5)

        assert [refund.refund_id for refund in news.refunds] == [TRANSACTION]
        assert news.standings[0].cancel_reason == "refunded"


class TestUpgrades:
    async def test_give_back_the_unused_rest_and_leave_access(
        self, notifications: AppleNotifications
    ) -> None:
        news = await told(
            notifications,
            "DID_CHANGE_RENEWAL_PREF",
            subtype="UPGRADE",
            transaction={"isUpgraded": True},
        )

        assert news.standings == ()
        assert news.refunds == (
            Refund(
                refund_id=f"{TRANSACTION}:upgrade",
                transaction_id=TRANSACTION,
                at=NOW,
                share=Fraction(7, 30),
                amount_minor=350,
                ends_access=False,
                reason="upgraded",
            ),
        )

    async def test_count_from_when_the_store_says_it_happened(
        self, notifications: AppleNotifications
    ) -> None:
        half = START + (END - START) / 2
        news = await told(
            notifications,
            "DID_RENEW",
            transaction={"isUpgraded": True, "revocationDate": milliseconds(half)},
        )

        assert [refund.share for refund in news.refunds] == [Fraction(1, 2)]

    async def test_that_were_refunded_besides_are_refunds(
        self, notifications: AppleNotifications
    ) -> None:
        news = await told(notifications, "DID_RENEW", transaction={"isUpgraded": True, **REVOKED})

        assert [refund.refund_id for refund in news.refunds] == [TRANSACTION]

    async def test_without_a_date_give_back_nothing(
        self, notifications: AppleNotifications
    ) -> None:
        news = await told(notifications, "DID_RENEW", transaction={"isUpgraded": True})

        assert (news.refunds, news.standings) == ((), ())


class TestPacks:
    async def test_are_paid_once_for_their_quantity(
        self, notifications: AppleNotifications
    ) -> None:
        news = await told(
            notifications,
            "ONE_TIME_CHARGE",
            transaction={"type": "Consumable", "quantity": 3, "expiresDate": None},
            renewal=None,
            status=None,
        )

        (payment,) = news.payments
        assert (payment.paid, payment.quantity, news.standings) == (Paid.ONCE, 3, ())

    async def test_of_lasting_things_give_access_for_good(
        self, notifications: AppleNotifications
    ) -> None:
        found = await standing(
            notifications,
            "ONE_TIME_CHARGE",
            transaction={"type": "Non-Consumable", "expiresDate": None},
            renewal=None,
            status=None,
        )

        assert (found.state, found.lifetime, found.will_renew) == (State.ACTIVE, True, False)


class TestAmounts:
    @pytest.mark.parametrize(
        ("price", "currency", "minor"),
        [
            (14990, "USD", 1499),
            (14995, "EUR", 1500),
            (2_000_000, "JPY", 2000),
            (4_990, "KWD", 4990),
            (0, "USD", 0),
            (None, "USD", None),
            (14990, None, None),
        ],
    )
    async def test_are_minor_units_of_the_currency(
        self,
        notifications: AppleNotifications,
        price: int | None,
        currency: str | None,
        minor: int | None,
    ) -> None:
        news = await told(
            notifications, "DID_RENEW", transaction={"price": price, "currency": currency}
        )

        assert news.payments[0].amount_minor == minor

    async def test_a_trial_is_no_paid_period(self, notifications: AppleNotifications) -> None:
        news = await told(
            notifications,
            "SUBSCRIBED",
            transaction={"offerDiscountType": "FREE_TRIAL", "price": 0},
        )

        assert (news.payments[0].paid, news.payments[0].amount_minor) == (Paid.TRIAL, 0)
