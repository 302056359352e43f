"""Nobody but our own subscription's Google pushes; and what its messages lead to."""

import json
from base64 import b64encode, urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from medici.adapters.payments.errors import MessageUnreadable, StoreNotConfigured, TokenRefused
from medici.adapters.payments.google.actions import Action, Fetch, Nothing, RefundOrder, action_of
from medici.adapters.payments.google.messages import MessageKind, PlayMessage, Voided, read_message
from medici.adapters.payments.google.proof import PushIdentity
from medici.adapters.payments.google.push import PubSubPush, is_push
from medici.adapters.payments.news import AuthMode
from medici.fakes.google_play.identity import PUSHER
from tests.support.google import (
    ALTERED,
    AUDIENCE,
    CERTS_URL,
    NOW,
    PACKAGE,
    Published,
    Push,
    Pusher,
)

IDENTITY = PushIdentity(service_account=PUSHER, audience=AUDIENCE, certs_url=CERTS_URL)
DOOR = PubSubPush(
    keys=Published(), packages=(PACKAGE,), identity=IDENTITY, secrets=("a secret of before",)
)
HANDLE = f"subscription:{PACKAGE}:token-1"


async def taken(push: Push, door: PubSubPush = DOOR, *, now: datetime = NOW) -> PlayMessage:
    return await door.read(push.body, authorization=push.authorization, token=push.token, now=now)


def message(**parts: Any) -> PlayMessage:
    """Read a message with these parts."""
    return read_message(Pusher(notification=parts).body, AuthMode.NATIVE)


def enveloped(data: str, **more: Any) -> bytes:
    return json.dumps({"message": {"data": data, "messageId": "m", **more}}).encode()


class TestHonest:
    async def test_is_read(self) -> None:
        assert await taken(Pusher().push()) == PlayMessage(
            event_id="message-1",
            event_type="subscription.RENEWED",
            event_time=NOW,
            kind=MessageKind.SUBSCRIPTION,
            package=PACKAGE,
            auth_mode=AuthMode.NATIVE,
            token="token-1",
            product_id="pro_monthly_android",
            number=2,
        )

    @pytest.mark.parametrize("issuer", ["https://accounts.google.com", "accounts.google.com"])
    async def test_may_spell_the_issuer_in_two_ways(self, issuer: str) -> None:
        assert (await taken(Pusher().push(iss=issuer))).auth_mode is AuthMode.NATIVE

    @pytest.mark.parametrize("seconds", [-3659, 59])
    async def test_is_read_at_the_edge_of_its_time(self, seconds: int) -> None:
        push = replace(Pusher(), at=NOW + timedelta(seconds=seconds)).push()

        assert (await taken(push)).event_id == "message-1"

    async def test_may_write_the_scheme_as_it_likes(self) -> None:
        pusher = Pusher()
        push = Push(body=pusher.body, authorization=f"bearer {pusher.token()}")

        assert (await taken(push)).event_id == "message-1"


class TestAltered:
    @pytest.mark.parametrize("kind", ALTERED)
    async def test_is_refused(self, kind: str) -> None:
        with pytest.raises(TokenRefused):
            await taken(ALTERED[kind](Pusher()))

    @pytest.mark.parametrize("seconds", [-3660, 60])
    async def test_is_refused_just_past_the_edge_of_its_time(self, seconds: int) -> None:
        push = replace(Pusher(), at=NOW + timedelta(seconds=seconds)).push()

        with pytest.raises(TokenRefused):
            await taken(push)

    async def test_is_refused_at_every_character_of_its_token(self) -> None:
        pusher = Pusher()
        token = pusher.token()

        for place in range(0, len(token), 5):
            other = "A" if token[place] != "A" else "B"
            with pytest.raises(TokenRefused):
                await taken(pusher.bearing(token[:place] + other + token[place + 1 :]))

    def test_there_are_more_than_forty_kinds(self) -> None:
        assert len(ALTERED) > 40


class TestSecrets:
    DOOR = PubSubPush(keys=Published(), packages=(PACKAGE,), secrets=("old", "new"))

    @pytest.mark.parametrize("secret", ["old", "new"])
    async def test_stand_in_for_google_where_no_account_is_configured(self, secret: str) -> None:
        push = Push(body=Pusher().body, token=secret)

        assert (await taken(push, self.DOOR)).auth_mode is AuthMode.RELAY

    @pytest.mark.parametrize("secret", [None, "", "old,new", "wrong", "\ud800"])
    async def test_must_be_right(self, secret: str | None) -> None:
        with pytest.raises(TokenRefused):
            await taken(Push(body=Pusher().body, token=secret), self.DOOR)

    async def test_are_nothing_that_a_header_could_hold(self) -> None:
        with pytest.raises(TokenRefused):
            await taken(Push(body=Pusher().body, authorization="Bearer old"), self.DOOR)

    async def test_missing_leave_the_door_shut(self) -> None:
        with pytest.raises(StoreNotConfigured):
            await taken(Pusher().push(), PubSubPush(keys=Published(), packages=(PACKAGE,)))

    async def test_missing_may_leave_it_open_on_purpose(self) -> None:
        door = PubSubPush(keys=Published(), packages=(PACKAGE,), open=True)

        assert (await taken(Push(body=Pusher().body), door)).auth_mode is AuthMode.OPEN

    def test_are_never_shown(self) -> None:
        assert "old" not in repr(self.DOOR)


class TestForm:
    @pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
    def test_takes_either_alphabet_padded_or_not(self, encode: Any) -> None:
        told = {"packageName": "a.b", "eventTimeMillis": "1", "x": "??>>~~"}
        data = encode(json.dumps(told).encode()).decode()

        for written in (data, data.rstrip("=")):
            found = read_message(enveloped(written), AuthMode.NATIVE)
            assert found.kind is MessageKind.UNKNOWN

    def test_takes_the_other_names_of_its_fields(self) -> None:
        data = b64encode(b'{"packageName": "a.b", "eventTimeMillis": "1500"}').decode()
        body = json.dumps({"message": {"data": data, "message_id": "m2"}}).encode()

        found = read_message(body, AuthMode.NATIVE)

        assert (found.event_id, found.event_time) == (
            "m2",
            datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC),
        )

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b"{}",
            b'{"message": {}}',
            b'{"message": {"data": "e30", "messageId": ""}}',
            enveloped("!!!"),
            enveloped("\u00e9"),
            enveloped(b64encode(b"\xff").decode()),
            enveloped(b64encode(b"[]").decode()),
            enveloped(b64encode(b"{}").decode()),
            enveloped(b64encode(b'{"packageName":"a.b","eventTimeMillis":"soon"}').decode()),
            enveloped(
                b64encode(b'{"packageName":"a.b","eventTimeMillis":"9%s"}' % (b"9" * 30)).decode()
            ),
            enveloped(
                b64encode(
                    b'{"packageName":"a.b","eventTimeMillis":"1","subscriptionNotification":{}}'
                ).decode()
            ),
            b'{"message":' + b"[" * 100_000,
        ],
    )
    def test_that_no_message_has_is_unreadable(self, body: bytes) -> None:
        with pytest.raises(MessageUnreadable):
            read_message(body, AuthMode.NATIVE)

    def test_is_about_one_thing(self) -> None:
        with pytest.raises(MessageUnreadable):
            message(
                testNotification={},
                subscriptionNotification={"notificationType": 1, "purchaseToken": "t"},
            )

    async def test_of_another_app_is_unreadable(self) -> None:
        push = Pusher(notification={"packageName": "com.example.other"}).push()

        with pytest.raises(MessageUnreadable):
            await taken(push)

    @pytest.mark.parametrize(
        ("body", "known"),
        [
            (Pusher().body, True),
            (b"\xef\xbb\xbf" + Pusher().body, True),
            (b'{"user_id": "ada"}', False),
            (b'{"message": "hello"}', False),
            (b"[1]", False),
            (b"{", False),
        ],
    )
    def test_is_known_to_the_door(self, body: bytes, known: bool) -> None:
        assert is_push(body) is known


def subscription(number: int) -> dict[str, Any]:
    return {"subscriptionNotification": {"notificationType": number, "purchaseToken": "token-1"}}


def voided(product_type: int, refund_type: int) -> dict[str, Any]:
    return {
        "voidedPurchaseNotification": {
            "purchaseToken": "token-1",
            "orderId": "GPA.1",
            "productType": product_type,
            "refundType": refund_type,
        }
    }


PRODUCT = f"product:{PACKAGE}:token-1"


class TestActions:
    @pytest.mark.parametrize(
        "number", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 17, 18, 19, 20, 22, 99]
    )
    def test_of_a_subscription_ask_how_it_stands(self, number: int) -> None:
        assert action_of(message(**subscription(number))) == Fetch(handle=HANDLE)

    def test_of_a_revocation_keep_it_in_mind(self) -> None:
        assert action_of(message(**subscription(12))) == Fetch(handle=HANDLE, revoked=True)

    @pytest.mark.parametrize(
        ("parts", "action"),
        [
            (
                {
                    "oneTimeProductNotification": {
                        "notificationType": 1,
                        "purchaseToken": "token-1",
                        "sku": "pack",
                    }
                },
                Fetch(handle=PRODUCT),
            ),
            (voided(1, 1), RefundOrder(order_id="GPA.1", handle=HANDLE)),
            (voided(2, 1), RefundOrder(order_id="GPA.1", handle=PRODUCT)),
            (voided(2, 2), Fetch(handle=PRODUCT)),
            ({"testNotification": {"version": "1.0"}}, Nothing(remark="a test of the store's")),
            (
                {"pendingRefundReviewNotification": {"x": 1}},
                Nothing(remark="a refund waits for our view of it"),
            ),
            (
                {"notificationOfNextYear": {}},
                Nothing(remark="a message of a kind that is not known"),
            ),
            (
                {"subscriptionNotification": {"notificationType": 2, "purchaseToken": "../x"}},
                Nothing(remark="the purchase's token cannot be one of Google's"),
            ),
        ],
    )
    def test_follow_from_the_message(self, parts: dict[str, Any], action: Action) -> None:
        assert action_of(message(**parts)) == action

    def test_of_a_void_know_the_order(self) -> None:
        assert message(**voided(2, 2)).voided == Voided(
            order_id="GPA.1", is_subscription=False, partial=True
        )

    def test_of_numbers_that_are_not_known_are_named_by_them(self) -> None:
        assert message(**subscription(99)).event_type == "subscription.99"
