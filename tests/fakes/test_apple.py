"""The fake of the App Store, held to what Apple's own library makes of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from aiohttp import web
from appstoreserverlibrary.api_client import (
    APIException,
    AppStoreServerAPIClient,
    GetTransactionHistoryVersion,
)
from appstoreserverlibrary.models.ConsumptionRequest import ConsumptionRequest
from appstoreserverlibrary.models.DeliveryStatus import DeliveryStatus
from appstoreserverlibrary.models.Environment import Environment
from appstoreserverlibrary.models.NotificationHistoryRequest import NotificationHistoryRequest
from appstoreserverlibrary.models.Status import Status
from appstoreserverlibrary.models.TransactionHistoryRequest import TransactionHistoryRequest
from appstoreserverlibrary.signed_data_verifier import SignedDataVerifier

from medici.fakes.apple.app import apple_app, make_app
from medici.fakes.apple.authority import Writer, milliseconds
from medici.fakes.apple.keys import ISSUER_ID, KEY_ID, AppKey
from medici.fakes.apple.shop import Purchase, Shop
from medici.fakes.faults import Fault, FaultKind, Rule
from medici.fakes.plane import Plane
from medici.fakes.serving import serving
from tests.support.apple import authority

V2 = GetTransactionHistoryVersion.V2
BUNDLE, LINEAGE = "com.example.medici", "2000000000000001"
PACK = "2000000000000077"


class Client(AppStoreServerAPIClient):
    """Apple's own client, pointed at the fake."""

    def __init__(self, base: str, key: AppKey, *, bundle_id: str = BUNDLE) -> None:
        super().__init__(key.pem.encode(), KEY_ID, ISSUER_ID, bundle_id, Environment.PRODUCTION)
        self._base_url = base


@dataclass(frozen=True, kw_only=True)
class Vendor:
    shop: Shop
    base: str
    key: AppKey
    client: Client
    verifier: SignedDataVerifier


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    shop = Shop(plane=Plane(seed=1), writer=Writer(authority=authority()))
    key = AppKey()
    verifier = SignedDataVerifier(
        [authority().root.der], False, Environment.PRODUCTION, BUNDLE, 1234567890
    )
    async with serving(apple_app(shop, key)) as base:
        yield Vendor(shop=shop, base=base, key=key, client=Client(base, key), verifier=verifier)


@dataclass
class Listener:
    """A receiver of notifications at ``url``; it answers with ``status``."""

    url: str = ""
    status: int = 200
    taken: list[dict[str, Any]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.taken.append(await request.json())
        return web.Response(status=self.status)


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    app = web.Application()
    app.router.add_post("/hook", listener.take)
    async with serving(app) as base:
        listener.url = f"{base}/hook"
        yield listener


def month(number: int = 0, **more: Any) -> dict[str, Any]:
    """Return the claims of a month that began so many months ago."""
    start = datetime.now(UTC) - timedelta(days=30 * number + 1)
    return {
        "originalTransactionId": LINEAGE,
        "transactionId": f"{2000000000000100 - number}",
        "productId": "pro_monthly_ios",
        "purchaseDate": milliseconds(start),
        "expiresDate": milliseconds(start + timedelta(days=30)),
        **more,
    }


class TestApi:
    async def test_tells_how_a_subscription_stands(self, vendor: Vendor) -> None:
        vendor.shop.purchases[LINEAGE] = Purchase(
            transaction=month(), renewal={"originalTransactionId": LINEAGE}, status=4
        )

        told = await asyncio.to_thread(vendor.client.get_all_subscription_statuses, LINEAGE)

        assert told.data is not None
        (last,) = told.data[0].lastTransactions or []
        assert last.status is Status.BILLING_GRACE_PERIOD
        assert last.signedTransactionInfo is not None
        assert last.signedRenewalInfo is not None
        read = vendor.verifier.verify_and_decode_signed_transaction(last.signedTransactionInfo)
        renewal = vendor.verifier.verify_and_decode_renewal_info(last.signedRenewalInfo)
        assert (read.productId, renewal.originalTransactionId) == ("pro_monthly_ios", LINEAGE)

    async def test_tells_one_transaction(self, vendor: Vendor) -> None:
        vendor.shop.purchases[LINEAGE] = Purchase(transaction=month(), past=(month(1),), status=1)
        wanted = month(1)["transactionId"]

        told = await asyncio.to_thread(vendor.client.get_transaction_info, wanted)

        assert told.signedTransactionInfo is not None
        read = vendor.verifier.verify_and_decode_signed_transaction(told.signedTransactionInfo)
        assert read.transactionId == wanted

    async def test_tells_a_history_page_by_page(self, vendor: Vendor) -> None:
        past = tuple(month(number) for number in range(1, 25))
        vendor.shop.purchases[LINEAGE] = Purchase(transaction=month(), past=past, status=1)

        first = await asyncio.to_thread(
            vendor.client.get_transaction_history, LINEAGE, None, TransactionHistoryRequest(), V2
        )
        second = await asyncio.to_thread(
            vendor.client.get_transaction_history,
            LINEAGE,
            first.revision,
            TransactionHistoryRequest(),
            V2,
        )

        assert (first.hasMore, second.hasMore) == (True, False)
        assert [len(page.signedTransactions or []) for page in (first, second)] == [20, 5]

    async def test_tells_its_notifications_again(self, vendor: Vendor) -> None:
        async with httpx.AsyncClient(base_url=vendor.base) as visitor:
            await visitor.post("/__fake/notify", json={"kind": "TEST", "data": {}, "uuid": "n1"})
        now = datetime.now(UTC)
        asked = NotificationHistoryRequest(
            startDate=milliseconds(now - timedelta(days=1)),
            endDate=milliseconds(now + timedelta(minutes=1)),
        )

        told = await asyncio.to_thread(vendor.client.get_notification_history, None, asked)

        assert told.hasMore is False
        (item,) = told.notificationHistory or []
        assert item.signedPayload is not None
        read = vendor.verifier.verify_and_decode_notification(item.signedPayload)
        assert read.notificationUUID == "n1"

    async def test_hears_what_was_used_of_a_pack(self, vendor: Vendor) -> None:
        await _tell_use(vendor, consumptionPercentage=67_932)

        (told,) = vendor.shop.used.values()
        assert (told.delivered, told.percentage) == (True, 67_932)
        async with httpx.AsyncClient(base_url=vendor.base) as visitor:
            heard = (await visitor.get("/__fake/consumption")).json()
        assert heard == {
            PACK: {
                "customerConsented": True,
                "sampleContentProvided": True,
                "deliveryStatus": "DELIVERED",
                "consumptionPercentage": 67_932,
            }
        }

    @pytest.mark.parametrize(
        ("said", "number"),
        [
            ({"customerConsented": False}, 4000035),
            ({"consumptionPercentage": 100_001}, 4000000),
            ({"deliveryStatus": DeliveryStatus.UNDELIVERED_OTHER}, 4000000),
        ],
        ids=["no consent", "more than all", "used and not delivered"],
    )
    async def test_hears_nothing_that_cannot_be(
        self, vendor: Vendor, said: dict[str, Any], number: int
    ) -> None:
        with pytest.raises(APIException) as refused:
            await _tell_use(vendor, **{"consumptionPercentage": 1, **said})

        assert (refused.value.raw_api_error, vendor.shop.used) == (number, {})

    @pytest.mark.parametrize(
        ("wanted", "status", "number"), [("77", 404, 4040010), ("x", 400, 4000006)]
    )
    async def test_knows_nothing_else(
        self, vendor: Vendor, wanted: str, status: int, number: int
    ) -> None:
        with pytest.raises(APIException) as refused:
            await asyncio.to_thread(vendor.client.get_transaction_info, wanted)

        assert (refused.value.http_status_code, refused.value.raw_api_error) == (status, number)

    async def test_admits_its_own_key_alone(self, vendor: Vendor) -> None:
        with pytest.raises(APIException) as refused:
            await asyncio.to_thread(Client(vendor.base, AppKey()).get_transaction_info, LINEAGE)

        assert refused.value.http_status_code == 401

    async def test_knows_no_purchase_of_another_app(self, vendor: Vendor) -> None:
        vendor.shop.purchases[LINEAGE] = Purchase(transaction=month(), status=1)
        other = Client(vendor.base, vendor.key, bundle_id="com.example.other")

        with pytest.raises(APIException) as refused:
            await asyncio.to_thread(other.get_transaction_info, LINEAGE)

        assert refused.value.http_status_code == 404

    async def test_fails_as_it_was_told(self, vendor: Vendor) -> None:
        rule = Rule(operation="transaction", fault=Fault(kind=FaultKind.RATE_LIMITED))
        vendor.shop.plane.faults.set(rule)

        with pytest.raises(APIException) as refused:
            await asyncio.to_thread(vendor.client.get_transaction_info, LINEAGE)

        assert refused.value.raw_api_error == 4290000

    async def test_keeps_its_own_time(self, vendor: Vendor) -> None:
        vendor.shop.plane.advance(timedelta(hours=2))

        with pytest.raises(APIException) as refused:  # the token has expired by then
            await asyncio.to_thread(vendor.client.get_transaction_info, LINEAGE)

        assert refused.value.http_status_code == 401


class TestNotify:
    async def test_sends_what_the_library_believes(
        self, vendor: Vendor, listener: Listener
    ) -> None:
        scripted = {"transaction": month(), "renewal": {}, "status": 1}
        wanted = {
            "kind": "DID_RENEW",
            "subtype": "BILLING_RECOVERY",
            "purchase": LINEAGE,
            "url": listener.url,
            "sends": 2,
        }
        async with httpx.AsyncClient(base_url=vendor.base) as visitor:
            await visitor.put(f"/__fake/purchases/{LINEAGE}", json=scripted)
            told = (await visitor.post("/__fake/notify", json=wanted)).json()

        assert told["answers"] == [200, 200]
        assert listener.taken[0] == listener.taken[1]
        read = vendor.verifier.verify_and_decode_notification(listener.taken[0]["signedPayload"])
        assert (read.notificationUUID, read.rawSubtype) == (told["uuid"], "BILLING_RECOVERY")
        assert read.data is not None
        assert read.data.signedTransactionInfo is not None
        inner = vendor.verifier.verify_and_decode_signed_transaction(
            read.data.signedTransactionInfo
        )
        assert inner.transactionId == month()["transactionId"]

    async def test_tells_what_the_receiver_answered(
        self, vendor: Vendor, listener: Listener
    ) -> None:
        listener.status = 503
        async with httpx.AsyncClient(base_url=vendor.base) as visitor:
            wanted = {"kind": "TEST", "data": {}, "url": listener.url}
            refused = await visitor.post("/__fake/notify", json=wanted)
            nowhere = {**wanted, "url": "http://127.0.0.1:9/hook"}
            unheard = await visitor.post("/__fake/notify", json=nowhere)

        assert (refused.json()["answers"], unheard.json()["answers"]) == ([503], [0])

    async def test_takes_no_wish_that_it_cannot_read(self, vendor: Vendor) -> None:
        async with httpx.AsyncClient(base_url=vendor.base) as visitor:
            answers = [
                await visitor.post("/__fake/notify", json={"subtype": "UPGRADE"}),
                await visitor.put("/__fake/purchases/1", json={"state": "active"}),
            ]

        assert [answer.status_code for answer in answers] == [422, 422]


async def _tell_use(vendor: Vendor, **said: Any) -> None:
    """Tell the fake what was used of a pack, as Apple's own client does."""
    vendor.shop.purchases[PACK] = Purchase(
        transaction={**month(), "transactionId": PACK, "type": "Consumable"}
    )
    delivery = said.pop("deliveryStatus", DeliveryStatus.DELIVERED)
    consented = said.pop("customerConsented", True)
    told = ConsumptionRequest(
        customerConsented=consented, sampleContentProvided=True, deliveryStatus=delivery, **said
    )
    await asyncio.to_thread(vendor.client.send_consumption_information, PACK, told)


class TestTrust:
    async def test_is_handed_out(self) -> None:
        async with serving(make_app(seed=0)) as base, httpx.AsyncClient(base_url=base) as visitor:
            root = (await visitor.get("/__fake/root.der")).content
            pem = (await visitor.get("/__fake/api-key")).text
            signed = (await visitor.post("/__fake/transactions", json=month())).json()

        verifier = SignedDataVerifier([root], False, Environment.PRODUCTION, BUNDLE, 1234567890)
        read = verifier.verify_and_decode_signed_transaction(signed["signedTransaction"])
        assert read.originalTransactionId == LINEAGE
        assert pem.startswith("-----BEGIN PRIVATE KEY-----")
