"""The fake of Replicate, held to what the vendor's own client makes of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO

import httpx
import pytest
from aiohttp import web
from replicate.client import Client
from replicate.exceptions import ModelError, ReplicateError
from replicate.webhook import Webhooks, WebhookSigningSecret

from medici.fakes.faults import Fault, FaultKind, Rule
from medici.fakes.pictures import picture_of
from medici.fakes.plane import Plane
from medici.fakes.replicate.app import replicate_app
from medici.fakes.replicate.habits import Habits, OutputShape
from medici.fakes.serving import serving

MODEL = "black-forest-labs/flux-kontext-pro"
VERSION = "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa"
INPUT = {"prompt": "japandi"}
PATIENCE_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class Vendor:
    plane: Plane
    habits: Habits
    base: str
    client: Client

    def fail(self, kind: FaultKind, operation: str = "create", **more: object) -> None:
        fault = Fault.model_validate({"kind": kind, **more})
        self.plane.faults.set(Rule(fault=fault, operation=operation))


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    plane, habits = Plane(seed=1), Habits(seconds=0)
    async with serving(replicate_app(plane, habits)) as base:
        client = Client(api_token="r8_test", base_url=base)
        client.poll_interval = 0.01
        yield Vendor(plane=plane, habits=habits, base=base, client=client)
        await client._async_client.aclose()


class TestPredictions:
    async def test_are_created_and_looked_at(self, vendor: Vendor) -> None:
        created = await vendor.client.models.predictions.async_create(model=MODEL, input=INPUT)
        found = await vendor.client.predictions.async_get(created.id)

        assert (found.status, found.model, found.input) == ("succeeded", MODEL, INPUT)
        assert found.metrics == {"predict_time": 5.25, "total_time": 6.25, "image_count": 1}
        assert found.progress is not None
        assert found.progress.percentage == 1.0

    async def test_of_a_version_are_created(self, vendor: Vendor) -> None:
        created = await vendor.client.predictions.async_create(version=VERSION, input=INPUT)

        assert created.version == VERSION

    async def test_walk_with_the_clock(self, vendor: Vendor) -> None:
        vendor.habits.seconds = 300
        created = await vendor.client.models.predictions.async_create(model=MODEL, input=INPUT)
        seen = [created.status]

        for _ in range(2):
            vendor.plane.advance(timedelta(seconds=160))
            await created.async_reload()
            seen.append(created.status)

        assert seen == ["starting", "processing", "succeeded"]

    async def test_are_listed_newest_first(self, vendor: Vendor) -> None:
        ids = [
            (await vendor.client.models.predictions.async_create(model=MODEL, input=INPUT)).id
            for _ in range(2)
        ]

        page = await vendor.client.predictions.async_list()

        assert [prediction.id for prediction in page.results] == ids[::-1]

    async def test_are_canceled_and_not_charged_before_they_ran(self, vendor: Vendor) -> None:
        vendor.habits.seconds = 300
        created = await vendor.client.models.predictions.async_create(model=MODEL, input=INPUT)

        await created.async_cancel()

        assert created.status == "canceled"
        assert (created.started_at, vendor.plane.billed) == (None, 0)

    async def test_forget_their_result_after_an_hour(self, vendor: Vendor) -> None:
        created = await vendor.client.models.predictions.async_create(model=MODEL, input=INPUT)
        address = str((await vendor.client.predictions.async_get(created.id)).output)
        async with httpx.AsyncClient() as visitor:
            before = await visitor.get(address)
            vendor.plane.advance(timedelta(minutes=61))
            after = await visitor.get(address)
        await created.async_reload()

        assert (before.content, after.status_code) == (picture_of(created.id), 404)
        assert (created.output, created.input) == (None, {})

    async def test_have_ids_that_follow_from_the_seed(self, vendor: Vendor) -> None:
        created = await vendor.client.models.predictions.async_create(model=MODEL, input=INPUT)

        assert created.id == Plane(seed=1).new_id()


class TestRun:
    async def test_waits_for_the_picture(self, vendor: Vendor) -> None:
        vendor.habits.seconds = 0.05

        output = await vendor.client.async_run(MODEL, input=INPUT)

        assert output == f"{vendor.base}/files/{next(iter(vendor.plane.work))}/out.png"

    @pytest.mark.parametrize("shape", OutputShape)
    async def test_gets_the_output_in_each_shape(self, vendor: Vendor, shape: OutputShape) -> None:
        vendor.habits.output = shape

        output = await vendor.client.async_run(MODEL, input=INPUT, use_file_output=False)

        url = f"{vendor.base}/files/{next(iter(vendor.plane.work))}/out.png"
        shapes = {"string": url, "list": [url], "object": {"seed": 7, "images": [url]}}
        assert output == shapes[shape]

    async def test_says_why_a_model_failed(self, vendor: Vendor) -> None:
        vendor.fail(FaultKind.JOB_FAILED, failure="CUDA out of memory")

        with pytest.raises(ModelError, match="CUDA out of memory"):
            await vendor.client.async_run(MODEL, input=INPUT)

        assert vendor.plane.billed == 0

    async def test_says_that_a_picture_was_flagged(self, vendor: Vendor) -> None:
        vendor.fail(FaultKind.MODERATED)

        with pytest.raises(ModelError, match="E005"):
            await vendor.client.async_run(MODEL, input=INPUT)


class TestRefusals:
    @pytest.mark.parametrize(
        ("kind", "status", "detail"),
        [
            (FaultKind.AUTH, 401, "You did not pass a valid authentication token"),
            (FaultKind.QUOTA, 402, "You have insufficient credit to run this model."),
            (
                FaultKind.RATE_LIMITED,
                429,
                "Request was throttled. Your rate limit resets in ~30s.",
            ),
        ],
    )
    async def test_are_problem_details(
        self, vendor: Vendor, kind: FaultKind, status: int, detail: str
    ) -> None:
        vendor.fail(kind, retry_after=30)

        with pytest.raises(ReplicateError) as refused:
            await vendor.client.models.predictions.async_create(model=MODEL, input=INPUT)

        assert (refused.value.status, refused.value.detail) == (status, detail)
        assert vendor.plane.work == {}

    async def test_name_the_invalid_field(self, vendor: Vendor) -> None:
        async with httpx.AsyncClient(headers={"Authorization": "Bearer r8_test"}) as visitor:
            answer = await visitor.post(f"{vendor.base}/v1/predictions", json={"inptu": {}})

        assert answer.status_code == 422
        assert answer.json()["invalid_fields"] == [
            {"type": "invalid", "field": "", "description": "version is required"}
        ]

    async def test_meet_who_has_no_token(self, vendor: Vendor) -> None:
        async with httpx.AsyncClient() as visitor:
            answer = await visitor.get(f"{vendor.base}/v1/account")

        assert answer.status_code == 401

    async def test_meet_who_asks_for_unknown_work(self, vendor: Vendor) -> None:
        with pytest.raises(ReplicateError, match="404"):
            await vendor.client.predictions.async_get("nothing")

    async def test_a_lost_answer_is_charged_all_the_same(self, vendor: Vendor) -> None:
        vendor.fail(FaultKind.RESET_AFTER_BODY)

        with pytest.raises(httpx.TransportError):
            await vendor.client.models.predictions.async_create(model=MODEL, input=INPUT)

        assert vendor.plane.billed == 1


class TestFiles:
    async def test_are_kept_told_listed_and_deleted(self, vendor: Vendor) -> None:
        files = vendor.client.files
        created = await files.async_create(BytesIO(b"a photo"), filename="photo.png")

        assert (created.name, created.size, created.content_type) == ("photo.png", 7, "image/png")
        assert created.urls["get"] == f"{vendor.base}/v1/files/{created.id}"
        assert (await files.async_get(created.id)).etag == created.etag
        assert [file.id for file in await files.async_list()] == [created.id]
        assert await files.async_delete(created.id)
        assert await files.async_list() == []

    async def test_vanish_after_a_day(self, vendor: Vendor) -> None:
        created = await vendor.client.files.async_create(BytesIO(b"a photo"))
        vendor.plane.advance(timedelta(hours=25))

        with pytest.raises(ReplicateError, match="404"):
            await vendor.client.files.async_get(created.id)


class TestAccount:
    async def test_tells_who_pays(self, vendor: Vendor) -> None:
        account = await vendor.client.accounts.async_current()

        assert (account.type, account.username) == ("user", "medici")


@dataclass(frozen=True, kw_only=True)
class Call:
    headers: dict[str, str]
    body: str
    status: str


class Listener:
    """Takes webhooks and answers them with ``status``."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.calls: list[Call] = []
        self._came = asyncio.Condition()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/hook", self._take)
        return app

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        call = Call(headers=dict(request.headers), body=await request.text(), status=body["status"])
        async with self._came:
            self.calls.append(call)
            self._came.notify_all()
        return web.Response(status=self.status)

    async def heard(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async with self._came:
                await self._came.wait_for(lambda: len(self.calls) >= count)


class TestWebhooks:
    @staticmethod
    async def order(vendor: Vendor, base: str, *events: str) -> None:
        await vendor.client.models.predictions.async_create(
            model=MODEL, input=INPUT, webhook=f"{base}/hook", webhook_events_filter=list(events)
        )

    async def test_are_signed_as_the_client_expects(self, vendor: Vendor) -> None:
        listener = Listener()
        async with serving(listener.app()) as base:
            await self.order(vendor, base, "completed")
            await listener.heard(1)
        secret = await vendor.client.webhooks.default.async_secret()
        call = listener.calls[0]

        Webhooks.validate(headers=call.headers, body=call.body, secret=secret, tolerance=300)

        assert call.status == "succeeded"

    async def test_are_not_the_work_of_another_secret(self, vendor: Vendor) -> None:
        listener = Listener()
        async with serving(listener.app()) as base:
            await self.order(vendor, base, "completed")
            await listener.heard(1)
        other = WebhookSigningSecret(key="whsec_b3RoZXI=")
        call = listener.calls[0]

        with pytest.raises(ValueError, match="ignature"):
            Webhooks.validate(headers=call.headers, body=call.body, secret=other)

    async def test_tell_of_the_start_where_that_is_wanted(self, vendor: Vendor) -> None:
        vendor.habits.seconds = 300
        listener = Listener()
        async with serving(listener.app()) as base:
            await self.order(vendor, base, "start", "completed")
            for heard in (1, 2):
                vendor.plane.advance(timedelta(seconds=160))
                await listener.heard(heard)

        assert [call.status for call in listener.calls] == ["processing", "succeeded"]

    async def test_tell_of_a_cancel_at_once(self, vendor: Vendor) -> None:
        vendor.habits.seconds = 300
        listener = Listener()
        async with serving(listener.app()) as base:
            await self.order(vendor, base, "completed")
            await vendor.client.predictions.async_cancel(next(iter(vendor.plane.work)))
            await listener.heard(1)

        assert listener.calls[0].status == "canceled"

    async def test_come_twice_where_that_is_the_habit(self, vendor: Vendor) -> None:
        vendor.habits.deliveries = 2
        listener = Listener()
        async with serving(listener.app()) as base:
            await self.order(vendor, base, "completed")
            await listener.heard(2)

        assert len({call.headers["webhook-id"] for call in listener.calls}) == 1

    async def test_overtake_an_answer_that_takes_its_time(self, vendor: Vendor) -> None:
        vendor.habits.answer_seconds = 30
        listener = Listener()
        async with serving(listener.app()) as base:
            order = asyncio.create_task(self.order(vendor, base, "completed"))
            await listener.heard(1)
            answered = order.done()
            order.cancel()

        assert not answered

    async def test_come_again_for_a_minute_and_then_no_more(self, vendor: Vendor) -> None:
        listener = Listener(status=503)
        async with serving(listener.app()) as base:
            await self.order(vendor, base, "completed")
            await listener.heard(1)
            vendor.plane.advance(timedelta(seconds=30))
            await listener.heard(2)
            vendor.plane.advance(timedelta(seconds=40))
            await self.given_up(vendor)

        assert len(listener.calls) == 2

    @staticmethod
    async def given_up(vendor: Vendor) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS), httpx.AsyncClient() as visitor:
            while (await visitor.get(f"{vendor.base}/__fake/deliveries")).json()["open"]:
                pass


class TestPlane:
    async def test_changes_habits_while_it_runs(self, vendor: Vendor) -> None:
        async with httpx.AsyncClient(base_url=vendor.base) as visitor:
            changed = await visitor.post("/__fake/replicate", json={"output": "list"})
            refused = await visitor.post("/__fake/replicate", json={"output": "poem"})

        assert changed.json() == {
            "output": "list",
            "seconds": 0,
            "deliveries": 1,
            "answer_seconds": 0,
        }
        assert (refused.status_code, vendor.habits.output) == (422, OutputShape.LIST)
