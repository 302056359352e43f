"""The fake of fal, held to what the vendor's own client makes of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from fal_client import AsyncClient, Completed, FalClientHTTPError, InProgress, Queued

from medici.fakes.fal.app import fal_app
from medici.fakes.fal.deliveries import Courier
from medici.fakes.fal.progress import Pace
from medici.fakes.faults import Fault, FaultKind, Rule
from medici.fakes.pictures import picture_of
from medici.fakes.plane import Plane
from medici.fakes.serving import serving

MODEL = "fal-ai/flux/dev/image-to-image"
INPUT = {"prompt": "japandi", "image_url": "data:image/png;base64,AA=="}


class Loopback(httpx.AsyncBaseTransport):
    """Carries every request to the fake, whatever host the client had in mind."""

    def __init__(self, base: str) -> None:
        self._base = httpx.URL(base)
        self._inner = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(
            scheme=self._base.scheme, host=self._base.host, port=self._base.port
        )
        request.headers["Host"] = request.url.netloc.decode()
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@dataclass(frozen=True, kw_only=True)
class Vendor:
    plane: Plane
    pace: Pace
    courier: Courier
    base: str
    client: AsyncClient
    visitor: httpx.AsyncClient

    def fail(
        self,
        kind: FaultKind,
        operation: str = "submit",
        calls: tuple[int, ...] = (),
        **more: object,
    ) -> None:
        fault = Fault.model_validate({"kind": kind, **more})
        self.plane.faults.set(Rule(fault=fault, operation=operation, calls=calls))


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    plane, pace = Plane(seed=1), Pace()
    courier = Courier(plane, pace)
    async with serving(fal_app(plane, pace, courier)) as base:
        headers = {"Authorization": "Key a:b"}
        async with httpx.AsyncClient(transport=Loopback(base), headers=headers) as visitor:
            client = AsyncClient(key="a:b")
            # The client always speaks https to fal; its own attribute is the only way to another.
            vars(client)["_client"] = _always(visitor)
            yield Vendor(
                plane=plane, pace=pace, courier=courier, base=base, client=client, visitor=visitor
            )


def _always(visitor: httpx.AsyncClient) -> asyncio.Future[httpx.AsyncClient]:
    ready: asyncio.Future[httpx.AsyncClient] = asyncio.get_running_loop().create_future()
    ready.set_result(visitor)
    return ready


class TestQueue:
    async def test_walks_to_the_picture(self, vendor: Vendor) -> None:
        handle = await vendor.client.submit(MODEL, INPUT)
        seen = [await handle.status(with_logs=True) for _ in range(4)]
        result = await handle.get()

        assert [type(status) for status in seen] == [Queued, Queued, InProgress, Completed]
        assert [status.position for status in seen if isinstance(status, Queued)] == [1, 0]
        picture = f"{vendor.base}/files/{handle.request_id}/out.png"
        assert result["images"][0]["url"] == picture
        assert (await vendor.visitor.get(picture)).content == picture_of(handle.request_id)
        assert vendor.plane.billed == 1

    async def test_is_found_again_by_the_clients_own_path_rule(self, vendor: Vendor) -> None:
        vendor.pace.seconds = 0
        handle = await vendor.client.submit(MODEL, INPUT)

        status = await vendor.client.status(MODEL, handle.request_id)

        assert isinstance(status, Completed)
        assert status.error is None

    async def test_cancels_what_still_waits_and_does_not_charge_it(self, vendor: Vendor) -> None:
        handle = await vendor.client.submit(MODEL, INPUT)

        await handle.cancel()

        status = await handle.status()
        assert isinstance(status, Completed)
        assert (status.error_type, vendor.plane.billed) == ("client_cancelled", 0)

    async def test_says_how_work_failed(self, vendor: Vendor) -> None:
        vendor.pace.seconds = 0
        vendor.fail(FaultKind.JOB_FAILED, failure="generation_timeout")
        handle = await vendor.client.submit(MODEL, INPUT)

        status = await handle.status()

        assert isinstance(status, Completed)
        assert status.error_type == "generation_timeout"

    async def test_answers_moderated_work_where_its_result_would_be(self, vendor: Vendor) -> None:
        vendor.pace.seconds = 0
        vendor.fail(FaultKind.MODERATED)
        handle = await vendor.client.submit(MODEL, INPUT)

        with pytest.raises(FalClientHTTPError) as refused:
            await handle.get()

        assert refused.value.status_code == 422

    async def test_serves_no_work_below_its_app(self, vendor: Vendor) -> None:
        handle = await vendor.client.submit(MODEL, INPUT)

        answer = await vendor.visitor.get(f"{vendor.base}/{MODEL}/requests/{handle.request_id}")

        assert answer.status_code == 405

    async def test_answers_failed_work_where_its_result_would_be(self, vendor: Vendor) -> None:
        vendor.pace.seconds = 0
        vendor.fail(
            FaultKind.JOB_FAILED, failure="startup_timeout", headers={"X-Fal-Retryable": "false"}
        )
        handle = await vendor.client.submit(MODEL, INPUT)

        with pytest.raises(FalClientHTTPError) as refused:
            await handle.get()

        assert refused.value.status_code == 504
        assert refused.value.response.headers["X-Fal-Retryable"] == "false"
        assert vendor.plane.billed == 0


class TestRefusals:
    @pytest.mark.parametrize(("kind", "status"), [(FaultKind.AUTH, 401), (FaultKind.QUOTA, 403)])
    async def test_have_a_status(self, vendor: Vendor, kind: FaultKind, status: int) -> None:
        vendor.fail(kind)

        with pytest.raises(FalClientHTTPError) as refused:
            await vendor.client.submit(MODEL, INPUT)

        assert (refused.value.status_code, vendor.plane.billed) == (status, 0)

    async def test_name_a_missing_field(self, vendor: Vendor) -> None:
        with pytest.raises(FalClientHTTPError, match="field required"):
            await vendor.client.submit(MODEL, {"prompt": "no picture"})

    async def test_a_lost_answer_makes_the_client_pay_twice(self, vendor: Vendor) -> None:
        vendor.fail(FaultKind.RESET_AFTER_BODY, calls=(1,))

        await vendor.client.submit(MODEL, INPUT)

        assert vendor.plane.billed == 2


class TestUpload:
    async def test_takes_a_picture_where_the_client_leaves_it(self, vendor: Vendor) -> None:
        address = await vendor.client.upload(b"a photo", "image/png", repository="fal")

        assert address.startswith(f"{vendor.base}/uploads/")
        assert [asked.body for asked in vendor.plane.asked if asked.operation == "put"] == [7]
