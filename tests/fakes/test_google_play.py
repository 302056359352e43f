"""The fake of Google Play, and its pushes at a door that looks up the keys for itself."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from aiohttp import web

from medici.adapters.oidc import PublishedKeys
from medici.adapters.payments.google.account import AccessTokens, ServiceAccount
from medici.adapters.payments.google.messages import PlayMessage
from medici.adapters.payments.google.proof import PushIdentity
from medici.adapters.payments.google.push import PubSubPush
from medici.fakes.faults import Fault, FaultKind, Rule
from medici.fakes.google_play.app import google_play_app
from medici.fakes.google_play.identity import PUSHER
from medici.fakes.google_play.shop import Shop
from medici.fakes.plane import Plane
from medici.fakes.serving import serving
from medici.kernel.errors import Kind, MediciError
from medici.kernel.net.client import OutgoingClient
from tests.support.google import PACKAGE, google, other_google

PURCHASES = f"/androidpublisher/v3/applications/{PACKAGE}/purchases"
RENEWED = {"subscriptionNotification": {"notificationType": 2, "purchaseToken": "token-1"}}


@dataclass(frozen=True, kw_only=True)
class Vendor:
    shop: Shop
    base: str
    outgoing: OutgoingClient
    visitor: httpx.AsyncClient

    async def sign_in(self) -> None:
        """Get a token by the key that the fake hands out, and show it from now on."""
        key_file = (await self.visitor.get("/__fake/service-account")).text
        tokens = AccessTokens(self.outgoing, ServiceAccount.of(key_file))
        token = await tokens.token(self.shop.plane.now())
        self.visitor.headers["Authorization"] = f"Bearer {token}"


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    shop = Shop(plane=Plane(seed=1), google=google())
    async with (
        serving(google_play_app(shop)) as base,
        OutgoingClient(allow=frozenset({base.removeprefix("http://")})) as outgoing,
        httpx.AsyncClient(base_url=base) as visitor,
    ):
        yield Vendor(shop=shop, base=base, outgoing=outgoing, visitor=visitor)


class TestApi:
    async def test_tells_what_was_scripted_to_whoever_signed_in(self, vendor: Vendor) -> None:
        scripted = {"subscriptionState": "SUBSCRIPTION_STATE_ACTIVE", "lineItems": []}
        await vendor.visitor.put("/__fake/subscriptions/t1", json=scripted)
        await vendor.sign_in()

        told = await vendor.visitor.get(f"{PURCHASES}/subscriptionsv2/tokens/t1")

        assert told.json() == {
            "kind": "androidpublisher#subscriptionPurchaseV2",
            **scripted,
            "etag": "etag-1",
        }

    @pytest.mark.parametrize(
        "path", ["subscriptionsv2/tokens/t1", "productsv2/tokens/t1", "voidedpurchases"]
    )
    async def test_tells_nobody_else(self, vendor: Vendor, path: str) -> None:
        assert (await vendor.visitor.get(f"{PURCHASES}/{path}")).status_code == 401

    async def test_knows_nothing_else(self, vendor: Vendor) -> None:
        await vendor.sign_in()

        answers = [
            await vendor.visitor.get(f"{PURCHASES}/subscriptionsv2/tokens/t1"),
            await vendor.visitor.get(f"{PURCHASES}/productsv2/tokens/t1"),
            await vendor.visitor.post(f"{PURCHASES}/products/pack/tokens/t1:consume"),
            await vendor.visitor.post(f"{PURCHASES}/products/pack/tokens/t1:refund"),
            await vendor.visitor.get(
                PURCHASES.replace(PACKAGE, "com.example.other") + "/productsv2/tokens/t1"
            ),
        ]

        assert [answer.status_code for answer in answers] == [404] * 5
        assert answers[0].json()["error"]["status"] == "NOT_FOUND"

    async def test_takes_note_of_what_was_fulfilled(self, vendor: Vendor) -> None:
        item = {"productId": "pack", "productOfferDetails": {"quantity": 1}}
        await vendor.visitor.put("/__fake/products/t1", json={"productLineItem": [item]})
        await vendor.visitor.put("/__fake/subscriptions/t2", json={})
        await vendor.sign_in()

        statuses = [
            (await vendor.visitor.post(f"{PURCHASES}/{path}")).status_code
            for path in (
                "products/pack/tokens/t1:consume",
                "products/pack/tokens/t1:consume",
                "subscriptions/pro/tokens/t2:acknowledge",
            )
        ]

        assert statuses == [204, 400, 204]
        told = (await vendor.visitor.get("/__fake/fulfilled")).json()
        assert told == ["consume:pack:t1", "acknowledge:pro:t2"]

    async def test_fails_as_it_was_told(self, vendor: Vendor) -> None:
        await vendor.sign_in()
        rule = Rule(operation="subscription", fault=Fault(kind=FaultKind.RATE_LIMITED))
        vendor.shop.plane.faults.set(rule)

        told = await vendor.visitor.get(f"{PURCHASES}/subscriptionsv2/tokens/t1")

        assert told.status_code == 429

    async def test_gives_no_token_to_a_stranger(self, vendor: Vendor) -> None:
        stranger = ServiceAccount.of(json.dumps(other_google().key_file(f"{vendor.base}/token")))
        form = {"assertion": stranger.assertion(vendor.shop.plane.now())}

        told = await vendor.visitor.post("/token", data=form)

        assert (told.status_code, told.json()) == (400, {"error": "invalid_grant"})


@dataclass
class Door:
    """A receiver of pushes at ``url``, which proves them over the network."""

    push: PubSubPush
    vendor: Vendor
    url: str = ""
    taken: list[PlayMessage] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        try:
            message = await self.push.read(
                await request.read(),
                authorization=request.headers.get("Authorization"),
                token=request.query.get("token"),
                now=self.vendor.shop.plane.now(),
            )
        except MediciError as error:
            return web.Response(status=401 if error.kind is Kind.UNAUTHENTICATED else 400)
        self.taken.append(message)
        return web.Response(status=204)


@pytest.fixture
async def door(vendor: Vendor) -> AsyncIterator[Door]:
    identity = PushIdentity(
        service_account=PUSHER,
        audience="https://medici.example/push",
        certs_url=f"{vendor.base}/oauth2/v3/certs",
    )
    keys = PublishedKeys(vendor.outgoing, vendor.shop.plane.now)
    push = PubSubPush(keys=keys, packages=(PACKAGE,), identity=identity)
    door = Door(push, vendor)
    app = web.Application()
    app.router.add_post("/push", door.take)
    async with serving(app) as base:
        door.url = f"{base}/push"
        yield door


class TestNotify:
    async def notify(self, door: Door, **more: Any) -> list[int]:
        wanted = {
            "url": door.url,
            "audience": "https://medici.example/push",
            "notification": RENEWED,
            **more,
        }
        told = await door.vendor.visitor.post("/__fake/notify", json=wanted)
        answers: list[int] = told.json()["answers"]
        return answers

    async def test_pushes_what_the_published_key_proves(self, door: Door) -> None:
        answers = await self.notify(door, message_id="m1", sends=2)

        assert answers == [204, 204]
        assert [message.event_id for message in door.taken] == ["m1", "m1"]
        assert door.taken[0].event_type == "subscription.RENEWED"
        asked = [one.operation for one in door.vendor.shop.plane.asked]
        assert asked == ["certs"]

    async def test_pushes_for_another_audience_in_vain(self, door: Door) -> None:
        assert await self.notify(door, audience="https://other.example") == [401]
        assert await self.notify(door, claims={"email": "other@example.com"}) == [401]

    async def test_may_change_its_key(self, door: Door) -> None:
        shop = door.vendor.shop
        await self.notify(door)
        shop.google.key_id = "fake-key-2"
        shop.plane.advance(timedelta(minutes=2))

        try:
            answers = await self.notify(door)
        finally:
            shop.google.key_id = "fake-key-1"

        assert answers == [204]

    async def test_takes_no_wish_that_it_cannot_read(self, vendor: Vendor) -> None:
        told = await vendor.visitor.post("/__fake/notify", json={"url": "x"})

        assert told.status_code == 422
