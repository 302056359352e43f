"""Every way to alter what a store signed, over HTTP: refused as documented, and nothing is kept."""

import json
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from tests.doors.studio.conftest import Visit
from tests.doors.studio.selling import Selling, pushed, rows_kept, sent, signed
from tests.doors.studio.visitor import Visitor
from tests.support import apple, apple_altered, google, stripe
from tests.support.google import Push, Pusher
from tests.support.stores import Stores

SHARED = "a secret of before"
WITH_SECRET = {"X-Webhook-Secret": SHARED}
UNREADABLE = (400, {"detail": "invalid_payload"})
UNSIGNED = (400, {"detail": "invalid_signature"})
UNKNOWN = (401, {"detail": "unauthorized"})
# What is not even of Apple's form is read as a relay's, whose secret is right here.
NOT_APPLES = frozenset({"nothing", "no JSON", "a list", "gzip", "nested deeply"})
RELAYED = {"event_id": "e1", "user_id": "ada", "product_id": "pro_monthly_ios"}


class TestAltered(Selling):
    """A right shared secret goes along with each; it rescues none."""

    @pytest.fixture
    async def nobody(self, visit: Visit) -> Visitor:
        secret = SecretStr(SHARED)
        return await visit(
            "",
            storekit_webhook_secret=secret,
            google_play_webhook_secret=secret,
            web_billing_webhook_secret=secret,
        )

    async def test_words_of_apple(self, nobody: Visitor, stores: Stores) -> None:
        letter = apple.Letter()
        refused = {
            name: said(await sent(nobody, "storekit", alter(letter), **WITH_SECRET))
            for name, alter in apple_altered.ALTERED.items()
        }

        assert refused == {name: UNREADABLE if name in NOT_APPLES else UNSIGNED for name in refused}
        assert await rows_kept(stores.studio) == 0

    async def test_pushes_of_google(self, nobody: Visitor, stores: Stores) -> None:
        refused = {
            name: said(await pushed(nobody, alter(Pusher()), **WITH_SECRET))
            for name, alter in google.ALTERED.items()
        }

        assert refused == dict.fromkeys(google.ALTERED, UNKNOWN)
        assert await rows_kept(stores.studio) == 0

    async def test_events_of_stripe(self, nobody: Visitor, stores: Stores) -> None:
        good = stripe.signed(stripe.event("customer.created", {"id": "cus_1"}))
        refused = {}
        for name, alter in stripe.ATTACKS.items():
            bad = alter(good, stripe.WHEN)
            header = {} if bad.header is None else {"Stripe-Signature": bad.header}
            refused[name] = said(
                await sent(nobody, "web-billing", bad.raw, **header, **WITH_SECRET)
            )

        # Without its header an event is read as a relay's, whose form it does not have.
        assert refused == dict.fromkeys(stripe.ATTACKS, UNSIGNED) | {"no header": UNREADABLE}
        assert await rows_kept(stores.studio) == 0

    async def test_the_honest_ones_are_taken(self, nobody: Visitor, stores: Stores) -> None:
        event = stripe.event("customer.created", {"id": "cus_1"})
        answers = (
            await sent(nobody, "storekit", apple.Letter().body),
            await pushed(nobody, Pusher().push()),
            await signed(nobody, stores, event),
        )

        assert [answer.status_code for answer in answers] == [200, 200, 200]

    @pytest.mark.parametrize("age", [-299, 299])
    async def test_a_signature_of_stripe_holds_for_five_minutes(
        self, nobody: Visitor, stores: Stores, age: int
    ) -> None:
        event = stripe.event("customer.created", {"id": "cus_1"})
        header = {"Stripe-Signature": stripe.header(event, stripe.WHEN + age)}

        answer = await sent(nobody, "web-billing", event, **header)

        assert answer.status_code == 200


class TestForms(Selling):
    """The form of a message decides on its proof; neither proof stands in for the other."""

    @pytest.mark.parametrize(
        ("route", "more"),
        [
            ("storekit", {"signedPayload": "a.b.c"}),
            ("google-play", {"message": {"data": "e30=", "messageId": "m"}}),
        ],
    )
    async def test_a_relay_cannot_borrow_a_native_form(
        self, visit: Visit, stores: Stores, route: str, more: dict[str, Any]
    ) -> None:
        nobody = await visit("", storekit_webhook_secret=SecretStr(SHARED))
        body = json.dumps({**RELAYED, **more}).encode()

        answer = await sent(nobody, route, body, **WITH_SECRET)

        assert said(answer) == (UNSIGNED if route == "storekit" else UNKNOWN)
        assert await rows_kept(stores.studio) == 0

    async def test_nor_the_header_of_stripe(self, visit: Visit, stores: Stores) -> None:
        nobody = await visit("", web_billing_webhook_secret=SecretStr(SHARED))
        body = json.dumps({**RELAYED, "product_id": "pro_monthly_web"}).encode()

        answer = await sent(
            nobody, "web-billing", body, **WITH_SECRET, **{"Stripe-Signature": "t=1,v1=0"}
        )

        assert said(answer) == UNSIGNED
        assert await rows_kept(stores.studio) == 0

    async def test_a_push_in_a_relays_place_wants_its_own_token(
        self, visit: Visit, stores: Stores
    ) -> None:
        nobody = await visit("", google_play_webhook_secret=SecretStr(SHARED))

        answer = await pushed(nobody, Push(body=Pusher().body, token=SHARED))

        assert said(answer) == UNKNOWN
        assert await rows_kept(stores.studio) == 0

    async def test_a_relays_body_wants_the_secret_whatever_token_comes_along(
        self, visit: Visit, stores: Stores
    ) -> None:
        nobody = await visit("", google_play_webhook_secret=SecretStr(SHARED))
        body = json.dumps({**RELAYED, "product_id": "pro_monthly_android"}).encode()

        answer = await pushed(nobody, Push(body=body, authorization=f"Bearer {Pusher().token()}"))

        assert said(answer) == UNKNOWN
        assert await rows_kept(stores.studio) == 0

    @pytest.mark.parametrize("route", ["storekit", "google-play", "web-billing"])
    async def test_what_cannot_be_proven_is_not_taken(
        self, visit: Visit, stores: Stores, route: str
    ) -> None:
        bare = stores.with_settings(
            apple_bundle_ids=(), google_play_package_names=(), stripe_webhook_secret=None
        )
        nobody = await visit("")
        nobody.app.state.resources = bare.studio.resources
        body = {
            "storekit": apple.Letter().body,
            "google-play": Pusher().body,
            "web-billing": stripe.event("customer.created", {"id": "cus_1"}),
        }[route]

        answer = await sent(nobody, route, body, **stores.stripe_signs(body))

        assert said(answer) == (401, {"detail": "webhook_auth_not_configured"})
        assert await rows_kept(stores.studio) == 0

    async def test_production_takes_native_ones_without_any_shared_secret(
        self, visit: Visit, stores: Stores
    ) -> None:
        nobody = await visit("", app_env="production", encryption_keys=SecretStr("A" * 43))

        answer = await sent(nobody, "storekit", apple.Letter().body)

        assert answer.status_code == 200

    async def test_native_ones_are_taken_where_relays_are_not(self, visit: Visit) -> None:
        nobody = await visit("", webhook_relay_enabled=False)

        answer = await sent(nobody, "storekit", apple.Letter().body)

        assert answer.status_code == 200


class TestRelayed:
    @pytest.mark.parametrize("field", ["renews_at", "expires_at", "occurred_at"])
    @pytest.mark.parametrize(
        "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "tomorrow", {}]
    )
    async def test_moments_that_are_none(self, visit: Visit, field: str, moment: Any) -> None:
        nobody = await visit("")
        body = json.dumps({**RELAYED, field: moment}).encode()

        assert said(await sent(nobody, "storekit", body)) == UNREADABLE


class TestRotation(Selling):
    """Two secrets hold at once; once the old one is gone, nothing that it signed is taken."""

    async def test_of_stripes_secret(self, visit: Visit, stores: Stores) -> None:
        during = await _opened(visit, stores, "whsec_new,whsec_old")
        after = await _opened(visit, stores, "whsec_new")

        assert await _taken(during, stores, "whsec_old") == 200
        assert await _taken(during, stores, "whsec_new") == 200
        assert await _taken(after, stores, "whsec_old") == 400
        assert await _taken(after, stores, "whsec_new") == 200

    async def test_of_a_relays_secret(self, visit: Visit) -> None:
        during = await visit("", storekit_webhook_secret=SecretStr("new,old"))
        after = await visit("", storekit_webhook_secret=SecretStr("new"))
        statuses = []
        for visitor in (during, after):
            for secret in ("old", "new"):
                body = json.dumps(RELAYED).encode()
                answer = await sent(visitor, "storekit", body, **{"X-Webhook-Secret": secret})
                statuses.append(answer.status_code)

        assert statuses == [200, 200, 401, 200]

    async def test_of_the_secret_in_googles_address(self, visit: Visit, stores: Stores) -> None:
        unnamed = {"google_pubsub_audience": None, "google_play_webhook_secret": None}
        statuses = []
        for secrets in ("new,old", "new"):
            settings = {**unnamed, "google_play_webhook_secret": SecretStr(secrets)}
            sold = stores.with_settings(**settings)
            nobody = await visit("")
            nobody.app.state.resources = sold.studio.resources
            for secret in ("old", "new"):
                answer = await pushed(nobody, Push(body=Pusher().body, token=secret))
                statuses.append(answer.status_code)

        assert statuses == [200, 200, 401, 200]


async def _opened(visit: Visit, stores: Stores, secrets: str) -> Visitor:
    visitor = await visit("")
    changed = stores.with_settings(stripe_webhook_secret=SecretStr(secrets))
    visitor.app.state.resources = changed.studio.resources
    return visitor


async def _taken(visitor: Visitor, stores: Stores, secret: str) -> int:
    event = stripe.event("customer.created", {"id": "cus_1"})
    headers = stores.stripe_signs(event, secret)
    return (await sent(visitor, "web-billing", event, **headers)).status_code


def said(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()
