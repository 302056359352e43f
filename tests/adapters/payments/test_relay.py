"""The flat form of a relay, read into news."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from medici.adapters.payments.errors import MessageUnreadable
from medici.adapters.payments.news import (
    KEPT,
    AuthMode,
    Buyer,
    Paid,
    Payment,
    PurchaseState,
    Source,
    Standing,
    StoreNews,
)
from medici.adapters.payments.relay import read_relayed
from medici.kernel.environment import Environment

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


def read(source: Source = Source.WEB, **said: Any) -> StoreNews:
    body = {"user_id": "ada", "product_id": "pro_monthly_web", **said}
    return read_relayed(json.dumps(body).encode(), source, AuthMode.RELAY, now=NOW)


def standing(**said: Any) -> Standing:
    (found,) = read(**said).standings
    return found


class TestReadRelayed:
    def test_the_least_that_a_relay_sends_is_an_active_purchase(self) -> None:
        news = read(event_id="e1")

        assert news == StoreNews(
            source=Source.WEB,
            environment=Environment.PRODUCTION,
            event_id="e1",
            event_type="relay.active",
            event_time=NOW,
            auth_mode=AuthMode.RELAY,
            buyer=Buyer(user_id="ada"),
            standings=(
                Standing(
                    lineage_id="ada:pro_monthly_web",
                    product_id="pro_monthly_web",
                    state=PurchaseState.ACTIVE,
                    started_at=NOW,
                    expires_at=KEPT,
                    renews_at=KEPT,
                    will_renew=True,
                ),
            ),
        )

    def test_an_original_transaction_is_the_lineage(self) -> None:
        assert standing(original_transaction_id="txn_1").lineage_id == "txn_1"

    def test_a_date_is_read_as_sent_cleared_by_null_and_kept_when_left_out(self) -> None:
        assert standing(expires_at="2026-12-24T12:00:00Z").expires_at == LATER
        assert standing(expires_at=None).expires_at is None
        assert standing().expires_at is KEPT

    def test_a_time_without_a_zone_is_utc(self) -> None:
        assert standing(renews_at="2026-12-24T12:00:00").renews_at == LATER

    def test_canceled_lasts_until_the_end_that_is_known_and_does_not_renew(self) -> None:
        canceled = standing(status="canceled", renews_at="2026-12-24T12:00:00Z")

        assert (canceled.state, canceled.over_unless_dated) == (PurchaseState.ACTIVE, True)
        assert (canceled.will_renew, canceled.renews_at) == (False, None)

    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("expired", PurchaseState.EXPIRED),
            ("inactive", PurchaseState.EXPIRED),
            ("refunded", PurchaseState.REVOKED),
            ("revoked", PurchaseState.REVOKED),
            ("grace", PurchaseState.GRACE),
            ("billing_retry", PurchaseState.BILLING_RETRY),
            ("paused", PurchaseState.PAUSED),
            ("trialing", PurchaseState.TRIALING),
            ("pending", PurchaseState.PENDING),
        ],
    )
    def test_each_status_is_a_state(self, status: str, state: PurchaseState) -> None:
        assert standing(status=status).state is state

    def test_grace_ends_with_the_date_that_is_said(self) -> None:
        assert standing(status="grace", expires_at="2026-12-24T12:00:00Z").grace_expires_at == LATER

    def test_an_unknown_status_tells_nothing(self) -> None:
        news = read(status="frozen")

        assert (news.standings, news.remark) == ((), "unknown status frozen")

    def test_occurred_at_orders_messages_whenever_they_come(self) -> None:
        assert read(occurred_at="2026-12-24T12:00:00Z").event_time == LATER

    def test_a_sandbox_stays_a_sandbox(self) -> None:
        assert read(environment="sandbox").environment is Environment.SANDBOX


class TestPayments:
    def test_need_the_lineage_and_the_transaction_of_the_store(self) -> None:
        assert read(original_transaction_id="o1").payments == ()
        assert read(metadata={"transaction_id": "t1"}).payments == ()

    def test_are_booked_once_per_transaction_and_name_no_amount(self) -> None:
        news = read(
            original_transaction_id="o1",
            metadata={"transaction_id": "t1"},
            expires_at="2026-12-24T12:00:00Z",
        )

        assert news.payments == (
            Payment(
                transaction_id="t1",
                product_id="pro_monthly_web",
                paid=Paid.PERIOD,
                paid_at=NOW,
                lineage_id="o1",
                period_end=LATER,
            ),
        )

    def test_of_a_purchase_that_ended_are_none(self) -> None:
        ended: dict[str, Any] = {
            "original_transaction_id": "o1",
            "metadata": {"transaction_id": "t1"},
        }

        assert read(status="expired", **ended).payments == ()


class TestDerivedId:
    def test_is_the_same_for_the_same_message(self) -> None:
        assert (
            read(expires_at="2026-12-24T12:00:00Z").event_id
            == read(expires_at="2026-12-24T13:00:00+01:00").event_id
        )

    @pytest.mark.parametrize(
        "other",
        [
            {"user_id": "bob"},
            {"product_id": "basic"},
            {"status": "expired"},
            {"renews_at": "2026-12-24T12:00:00Z"},
            {"expires_at": "2026-12-24T12:00:00Z"},
            {"original_transaction_id": "o1"},
            {"source": Source.IOS},
        ],
    )
    def test_differs_as_soon_as_the_message_does(self, other: dict[str, object]) -> None:
        source = other.pop("source", Source.WEB)
        assert isinstance(source, Source)

        assert read(source, **other).event_id != read().event_id


class TestUnreadable:
    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"[]",
            b"null",
            b"{",
            b'{"user_id": "ada"}',
            b'{"user_id": "", "product_id": "p"}',
            b'{"user_id": "ada", "product_id": "p", "renews_at": "soon"}',
            b'{"user_id": "ada", "product_id": "p", "metadata": []}',
            b'{"user_id": "ada", "product_id": "p", "environment": "moon"}',
            b'{"user_id": "ada", "product_id": "p", "metadata": {"x": NaN}}',
            b'{"user_id": "ada", "product_id": "p", "metadata": {"x": "\\u0000"}}',
            b'{"user_id": "ada", "product_id": "p", "metadata": {"x": "\\ud800"}}',
            b"\xff\xfe",
            b"\xef\xbb\xbf{}",
            b"[" * 5_000,
        ],
    )
    def test_is_refused_in_words(self, raw: bytes) -> None:
        with pytest.raises(MessageUnreadable):
            read_relayed(raw, Source.WEB, AuthMode.RELAY, now=NOW)

    def test_the_reason_names_the_field_and_repeats_no_content(self) -> None:
        body = b'{"user_id": "ada", "product_id": "p", "renews_at": "a secret"}'

        with pytest.raises(MessageUnreadable) as refused:
            read_relayed(body, Source.WEB, AuthMode.RELAY, now=NOW)

        assert "renews_at" in str(refused.value)
        assert "secret" not in str(refused.value)
