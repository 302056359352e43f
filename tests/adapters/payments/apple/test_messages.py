"""What else a message says: who bought, and that there is nothing to do."""

from typing import Any

import pytest

from medici.adapters.payments.apple.following import needs_lookup
from medici.adapters.payments.apple.notifications import AppleNotifications
from medici.adapters.payments.news import (
    AuthMode,
    Buyer,
)
from medici.fakes.apple.authority import milliseconds
from tests.adapters.payments.apple.telling import (
    ENDED,
    REVOKED,
    TRANSACTION,
    State,
    told,
)
from tests.support.apple import (
    ACCOUNT,
    NOW,
    Letter,
    bought,
    enveloped,
    writer,
)


class TestBuyers:
    async def test_are_named_in_the_spelling_that_we_gave_out(
        self, notifications: AppleNotifications
    ) -> None:
        news = await told(
            notifications, "DID_RENEW", transaction={"appAccountToken": ACCOUNT.upper()}
        )

        assert news.buyer == Buyer(account_token=ACCOUNT)

    async def test_may_be_named_by_the_renewal_alone(
        self, notifications: AppleNotifications
    ) -> None:
        news = await told(
            notifications,
            "DID_RENEW",
            transaction={"appAccountToken": None},
            renewal={"appAccountToken": ACCOUNT},
        )

        assert news.buyer == Buyer(account_token=ACCOUNT)


class TestRemarks:
    @pytest.mark.parametrize(
        "kind",
        [
            "REFUND_DECLINED",
            "CONSUMPTION_REQUEST",
            "METADATA_UPDATE",
            "MIGRATION",
            "PRICE_CHANGE",
        ],
    )
    async def test_are_all_that_some_types_leave(
        self, notifications: AppleNotifications, kind: str
    ) -> None:
        news = await told(notifications, kind)

        assert (news.standings, news.payments, news.refunds) == ((), (), ())
        assert news.remark

    async def test_of_a_refund_asked_for_name_the_payment(
        self, notifications: AppleNotifications
    ) -> None:
        asked = await told(notifications, "CONSUMPTION_REQUEST")
        declined = await told(notifications, "REFUND_DECLINED")

        assert (asked.asks_use_of, declined.asks_use_of) == (TRANSACTION, None)

    @pytest.mark.parametrize(
        ("kind", "part"),
        [
            ("CONSUMPTION_REQUEST", {"data": {}}),
            ("TEST", {"data": {"bundleId": "com.example.medici", "environment": "Production"}}),
            ("RENEWAL_EXTENSION", {"summary": {"productId": "pro", "succeededCount": 5}}),
            ("RESCIND_CONSENT", {"appData": {"signedAppTransactionInfo": "x"}}),
            ("EXTERNAL_PURCHASE_TOKEN", {"externalPurchaseToken": {"externalPurchaseId": "e"}}),
            ("TYPE_WITHOUT_PURCHASE", {"data": {}}),
        ],
    )
    async def test_are_all_that_is_said_of_no_purchase(
        self, notifications: AppleNotifications, kind: str, part: dict[str, dict[str, Any]]
    ) -> None:
        by = writer()
        whole: dict[str, Any] = {name: {**by.subject, **said} for name, said in part.items()}

        news = await notifications.read(
            enveloped(by.notification(NOW, uuid="n1", kind=kind, **whole)), now=NOW
        )

        assert (news.standings, news.payments, news.event_type) == ((), (), kind)
        assert news.remark


class TestHandedIn:
    async def test_a_running_period_stands_as_it_was_signed(
        self, notifications: AppleNotifications
    ) -> None:
        news = await notifications.read_transaction(writer().transaction(NOW, **bought()), now=NOW)

        assert (news.auth_mode, news.event_type) == (AuthMode.CLIENT, "TRANSACTION")
        assert news.event_id == f"transaction:{TRANSACTION}:{milliseconds(NOW)}"
        assert news.standings[0].state is State.ACTIVE
        assert len(news.payments) == 1

    @pytest.mark.parametrize(
        "claims", [ENDED, REVOKED, {"isUpgraded": True}], ids=["ended", "refunded", "upgraded"]
    )
    async def test_an_old_one_says_nothing_about_today(
        self, notifications: AppleNotifications, claims: dict[str, Any]
    ) -> None:
        news = await notifications.read_transaction(
            writer().transaction(NOW, **bought(**claims)), now=NOW
        )

        assert (news.standings, len(news.payments)) == ((), 1)

    async def test_whoever_left_the_family_has_no_access(
        self, notifications: AppleNotifications
    ) -> None:
        claims = {**REVOKED, "revocationType": "FAMILY_REVOKE"}
        news = await notifications.read_transaction(
            writer().transaction(NOW, **bought(**claims)), now=NOW
        )

        assert news.standings[0].state is State.REVOKED


class TestLookups:
    @pytest.mark.parametrize(
        ("kind", "subtype", "needed"),
        [
            ("DID_CHANGE_RENEWAL_PREF", "UPGRADE", True),
            ("OFFER_REDEEMED", "UPGRADE", True),
            ("DID_CHANGE_RENEWAL_PREF", "DOWNGRADE", False),
            ("DID_RENEW", None, False),
        ],
    )
    async def test_follow_an_upgrade_whose_old_period_is_not_named(
        self, notifications: AppleNotifications, kind: str, subtype: str | None, needed: bool
    ) -> None:
        assert needs_lookup(await told(notifications, kind, subtype=subtype)) is needed


class TestLetters:
    async def test_that_are_the_same_are_the_same_event(
        self, notifications: AppleNotifications
    ) -> None:
        first, second = [await notifications.read(Letter().body, now=NOW) for _ in range(2)]

        assert first == second
