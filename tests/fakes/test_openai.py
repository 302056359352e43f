"""The fake of OpenAI, held to what the vendor's own client makes of it."""

from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from openai import (
    APIConnectionError,
    APIResponseValidationError,
    AsyncOpenAI,
    AuthenticationError,
    BadRequestError,
    DefaultAsyncHttpxClient,
    InternalServerError,
    NotFoundError,
    RateLimitError,
)
from openai.types import ImagesResponse

from medici.adapters.imaging.masks import see_through
from medici.fakes.faults import Fault, FaultKind, Rule
from medici.fakes.openai.app import Telling, make_app, openai_app
from medici.fakes.openai.models import DEAD, LIVE
from medici.fakes.pictures import NO_PICTURE, picture_of
from medici.fakes.plane import Plane
from medici.fakes.serving import serving
from tests.attacks.images import encoded, picture

PHOTO = encoded(picture(64, 48), "JPEG")
MASK = see_through(encoded(picture(64, 48), "PNG"), (64, 48))
FLARE = "gpt-image-2.5-flare"
PICTURE_TOKENS = {"1024x1024": 272, "1536x1024": 408, "1024x1536": 408}


@dataclass(frozen=True, kw_only=True)
class Vendor:
    plane: Plane
    base: str
    client: AsyncOpenAI

    def fail(self, kind: FaultKind, operation: str = "edit", **more: object) -> None:
        fault = Fault.model_validate({"kind": kind, **more})
        self.plane.faults.set(Rule(fault=fault, operation=operation))

    async def tell(self, **telling: bool) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.base}/__fake/openai", json=telling) as answer,
        ):
            assert Telling.model_validate(await answer.json()) == Telling(**telling)

    async def edit(self, model: str = FLARE) -> ImagesResponse:
        image = ("room.jpg", PHOTO, "image/jpeg")
        return await self.client.images.edit(image=image, prompt="japandi", model=model)


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    plane = Plane(seed=1)
    async with (
        serving(openai_app(plane)) as base,
        DefaultAsyncHttpxClient(trust_env=False) as http,
    ):
        client = AsyncOpenAI(
            api_key="sk-test", base_url=f"{base}/v1", http_client=http, max_retries=0
        )
        yield Vendor(plane=plane, base=base, client=client)


def pictures(answer: ImagesResponse) -> list[bytes]:
    return [b64decode(one.b64_json or "") for one in answer.data or []]


class TestEdits:
    async def test_bring_a_picture_and_its_bill(self, vendor: Vendor) -> None:
        answer = await vendor.edit()

        [work] = vendor.plane.work.values()
        assert pictures(answer) == [picture_of(f"{work.id}:0")]
        assert (answer.size, answer.quality, answer.output_format) == (
            "1536x1024",
            "medium",
            "png",
        )
        assert answer.usage is not None
        assert answer.usage.to_dict() == {
            "total_tokens": 2 + 3 + 1584,
            "input_tokens": 5,
            "input_tokens_details": {"text_tokens": 2, "image_tokens": 3},
            "output_tokens": 1584,
        }
        assert vendor.plane.billed == 1

    async def test_take_several_images_and_a_mask_for_the_first(self, vendor: Vendor) -> None:
        await vendor.client.images.edit(
            image=[("a.jpg", PHOTO, "image/jpeg"), ("b.jpg", PHOTO, "image/jpeg")],
            mask=("mask.png", MASK, "image/png"),
            prompt="japandi",
            model=FLARE,
            n=2,
        )

        [work] = vendor.plane.work.values()
        assert (work.input["images"], work.input["masked"], work.billed) == (2, True, 2)

    async def test_take_a_markup_where_the_model_knows_it(self, vendor: Vendor) -> None:
        markup = ("markup.png", MASK, "image/png")

        await vendor.client.images.edit(image=PHOTO, markup=markup, prompt="x", model=FLARE)
        with pytest.raises(BadRequestError):
            await vendor.client.images.edit(
                image=PHOTO, markup=markup, prompt="x", model="gpt-image-2"
            )

    @pytest.mark.parametrize("model", sorted(LIVE))
    async def test_work_with_every_model_that_lives(self, vendor: Vendor, model: str) -> None:
        answer = await vendor.client.images.edit(
            image=PHOTO, prompt="japandi", model=model, size="1024x1024", quality="low"
        )

        assert answer.usage is not None
        assert answer.usage.output_tokens == PICTURE_TOKENS["1024x1024"]

    @pytest.mark.parametrize("model", sorted(DEAD))
    async def test_refuse_the_models_that_died(self, vendor: Vendor, model: str) -> None:
        with pytest.raises(BadRequestError) as refused:
            await vendor.edit(model)

        assert (refused.value.code, refused.value.param) == ("model_not_found", "model")
        assert vendor.plane.billed == 0

    async def test_refuse_a_response_format(self, vendor: Vendor) -> None:
        with pytest.raises(BadRequestError) as refused:
            await vendor.client.images.edit(
                image=PHOTO, prompt="x", model=FLARE, response_format="b64_json"
            )

        assert refused.value.param == "response_format"

    @pytest.mark.parametrize(
        ("model", "fidelity", "taken"),
        [
            ("gpt-image-1.5", "high", True),
            ("gpt-image-1-mini", "low", True),
            ("gpt-image-1-mini", "high", False),
            ("gpt-image-2", "high", False),
            ("gpt-image-2", "low", False),
        ],
    )
    async def test_take_input_fidelity_where_the_model_has_it(
        self, vendor: Vendor, model: str, fidelity: str, taken: bool
    ) -> None:
        wanted = {"input_fidelity": fidelity}
        if taken:
            await vendor.client.images.edit(image=PHOTO, prompt="x", model=model, extra_body=wanted)
        else:
            with pytest.raises(BadRequestError, match="Invalid value"):
                await vendor.client.images.edit(
                    image=PHOTO, prompt="x", model=model, extra_body=wanted
                )
        assert vendor.plane.billed == int(taken)

    @pytest.mark.parametrize(
        ("model", "size", "taken"),
        [
            ("gpt-image-1.5", "1536x1024", True),
            ("gpt-image-1.5", "1280x720", False),
            ("gpt-image-2", "1280x720", True),
            (FLARE, "2560x1440", True),
            (FLARE, "1281x720", False),
            (FLARE, "2112x640", False),
            (FLARE, "3856x2160", False),
            (FLARE, "512x512", False),
        ],
    )
    async def test_know_which_model_paints_which_size(
        self, vendor: Vendor, model: str, size: str, taken: bool
    ) -> None:
        if taken:
            answer = await vendor.client.images.edit(
                image=PHOTO, prompt="x", model=model, size=size
            )
            assert answer.size == size
        else:
            with pytest.raises(BadRequestError):
                await vendor.client.images.edit(image=PHOTO, prompt="x", model=model, size=size)

    @pytest.mark.parametrize(
        "mask",
        [
            pytest.param(PHOTO, id="a jpeg"),
            pytest.param(encoded(picture(64, 48), "PNG"), id="without alpha"),
            pytest.param(see_through(encoded(picture(64, 48), "PNG"), (48, 64)), id="other size"),
        ],
    )
    async def test_refuse_a_mask_that_does_not_fit(self, vendor: Vendor, mask: bytes) -> None:
        with pytest.raises(BadRequestError) as refused:
            await vendor.client.images.edit(image=PHOTO, mask=mask, prompt="x", model=FLARE)

        assert refused.value.param == "mask"


class TestGenerations:
    async def test_bring_pictures_and_their_bill(self, vendor: Vendor) -> None:
        answer = await vendor.client.images.generate(
            prompt="japandi", model=FLARE, n=2, quality="low", moderation="low"
        )

        assert len(pictures(answer)) == 2
        assert (answer.size, answer.quality) == ("1024x1024", "low")
        assert answer.usage is not None
        assert (answer.usage.input_tokens, answer.usage.output_tokens) == (2, 544)

    async def test_refuse_what_died(self, vendor: Vendor) -> None:
        with pytest.raises(BadRequestError) as refused:
            await vendor.client.images.generate(prompt="x", model=FLARE, style="vivid")

        assert refused.value.param == "style"


class TestTelling:
    async def test_brings_the_details_of_the_output(self, vendor: Vendor) -> None:
        await vendor.tell(details=True)

        answer = await vendor.edit()

        assert answer.usage is not None
        assert answer.usage.output_tokens_details is not None
        assert answer.usage.output_tokens_details.to_dict() == {
            "image_tokens": 1584,
            "text_tokens": 0,
        }

    async def test_leaves_the_bill_out(self, vendor: Vendor) -> None:
        await vendor.tell(usage=False)

        assert (await vendor.edit()).usage is None


class TestModels:
    async def test_are_listed_and_found(self, vendor: Vendor) -> None:
        listed = [model.id async for model in await vendor.client.models.list()]

        assert listed == list(LIVE)
        assert (await vendor.client.models.retrieve(FLARE)).id == FLARE

    async def test_that_died_are_not_found(self, vendor: Vendor) -> None:
        with pytest.raises(NotFoundError):
            await vendor.client.models.retrieve("dall-e-3")


class TestFaults:
    @pytest.mark.parametrize(
        ("kind", "error", "code"),
        [
            (FaultKind.AUTH, AuthenticationError, "invalid_api_key"),
            (FaultKind.QUOTA, RateLimitError, "insufficient_quota"),
            (FaultKind.RATE_LIMITED, RateLimitError, "rate_limit_exceeded"),
            (FaultKind.MODERATED, BadRequestError, "moderation_blocked"),
        ],
    )
    async def test_before_the_work_bill_nothing(
        self, vendor: Vendor, kind: FaultKind, error: type[BadRequestError], code: str
    ) -> None:
        vendor.fail(kind)

        with pytest.raises(error) as refused:
            await vendor.edit()

        assert refused.value.code == code
        assert (refused.value.request_id or "").startswith("req_")
        assert vendor.plane.billed == 0

    async def test_of_the_server_that_come_at_once_bill_nothing(self, vendor: Vendor) -> None:
        vendor.fail(FaultKind.JOB_FAILED)

        with pytest.raises(InternalServerError) as failed:
            await vendor.edit()

        assert failed.value.type == "server_error"
        assert vendor.plane.billed == 0

    async def test_leave_the_pictures_out(self, vendor: Vendor) -> None:
        vendor.fail(FaultKind.EMPTY_IMAGES)

        assert (await vendor.edit()).data == []

    async def test_bring_something_else_than_a_picture(self, vendor: Vendor) -> None:
        vendor.fail(FaultKind.BAD_IMAGE_BYTES)

        assert pictures(await vendor.edit()) == [NO_PICTURE]

    async def test_cut_the_answer_short(self, vendor: Vendor) -> None:
        vendor.fail(FaultKind.MALFORMED_JSON)

        with pytest.raises((APIResponseValidationError, ValueError)):
            await vendor.edit()

    async def test_without_a_key_nothing_is_told(self, vendor: Vendor) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{vendor.base}/v1/models") as answer,
        ):
            assert answer.status == 401

    async def test_lose_the_answer_of_paid_work(self, vendor: Vendor) -> None:
        vendor.fail(FaultKind.RESET_AFTER_BODY)

        with pytest.raises(APIConnectionError):
            await vendor.edit()

        assert vendor.plane.billed == 1

    async def test_make_the_vendors_client_pay_twice_for_one_lost_answer(
        self, vendor: Vendor
    ) -> None:
        lost = Rule(fault=Fault(kind=FaultKind.RESET_AFTER_BODY), operation="edit", calls=(1,))
        vendor.plane.faults.set(lost)
        as_delivered = vendor.client.with_options(max_retries=2)

        answer = await as_delivered.images.edit(image=PHOTO, prompt="x", model=FLARE)

        assert len(pictures(answer)) == 1
        assert [asked.operation for asked in vendor.plane.asked] == ["edit", "edit"]
        assert vendor.plane.billed == 2


class TestControl:
    async def test_refuses_what_it_does_not_know(self, vendor: Vendor) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{vendor.base}/__fake/openai", json={"usages": True}) as answer,
        ):
            assert answer.status == 422

    async def test_repeats_its_answers_by_seed(self) -> None:
        assert await first_words(seed=9) == await first_words(seed=9)
        assert await first_words(seed=9) != await first_words(seed=10)


async def first_words(*, seed: int) -> tuple[str, bytes]:
    """Return the id and the picture of the first call to a fresh fake."""
    wanted = {"prompt": "a room", "model": FLARE}
    async with (
        serving(make_app(seed=seed)) as base,
        aiohttp.ClientSession(headers={"Authorization": "Bearer sk-test"}) as session,
        session.post(f"{base}/v1/images/generations", json=wanted) as answer,
    ):
        painted = ImagesResponse.model_validate(await answer.json())
        return answer.headers["x-request-id"], pictures(painted)[0]
