"""Ordering a picture: what is said, what it means when it is refused, and never twice."""

from dataclasses import replace

import pytest

from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.provider import Phase, Recovery
from medici.adapters.providers.request import InputImage
from medici.fakes.faults import FaultKind
from tests.adapters.replicate.conftest import KEY, MODEL, PHOTO, Stage, wish

PHOTO_URI = "data:image/png;base64,iVBORw0KGgogYSBwaG90bw=="
LARGE = InputImage(data=b"\x89PNG\r\n\x1a\n" + bytes(200_000), content_type="image/png")
HOOK = "https://medici.example/v1/providers/replicate/webhook/1"


async def refusal(stage: Stage) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as refused:
        await stage.provider.submit(wish())
    assert KEY not in refused.value.message
    return refused.value


class TestSubmit:
    async def test_tells_kontext_what_it_wants_in_its_words(self, stage: Stage) -> None:
        submission = await stage.provider.submit(wish())

        (asked,) = stage.plane.asked
        assert asked.path == f"/v1/models/{MODEL}/predictions"
        assert asked.body == {
            "input": {
                "prompt": "a japandi room",
                "input_image": PHOTO_URI,
                "aspect_ratio": "match_input_image",
                "output_format": "png",
                "safety_tolerance": 2,
                "seed": 7,
            }
        }
        assert submission.ref == {
            "request_id": next(iter(stage.plane.work)),
            "model": MODEL,
            "max_pixels": 1_200_000,
        }

    async def test_does_not_ask_the_vendor_to_hold_the_answer(self, stage: Stage) -> None:
        stage.habits.seconds = 60

        submission = await stage.provider.submit(wish())

        assert submission.observation.phase is Phase.QUEUED
        assert "Prefer" not in stage.plane.asked[0].headers

    async def test_tells_an_unknown_model_the_least(self, stage: Stage) -> None:
        await stage.provider.submit(wish("somebody/new"))

        assert stage.plane.asked[0].body == {
            "input": {"prompt": "a japandi room", "input_image": PHOTO_URI}
        }

    @pytest.mark.parametrize(
        ("model", "given"),
        [
            (
                "black-forest-labs/flux-2-pro",
                {
                    "input_images": [PHOTO_URI],
                    "aspect_ratio": "match_input_image",
                    "output_format": "png",
                    "safety_tolerance": 2,
                    "seed": 7,
                },
            ),
            (
                "google/nano-banana",
                {
                    "image_input": [PHOTO_URI],
                    "aspect_ratio": "match_input_image",
                    "output_format": "png",
                },
            ),
            (
                "bytedance/seedream-4.5",
                {
                    "image_input": [PHOTO_URI],
                    "aspect_ratio": "match_input_image",
                    "sequential_image_generation": "disabled",
                },
            ),
        ],
    )
    async def test_gives_a_list_where_the_model_takes_several(
        self, stage: Stage, model: str, given: dict[str, object]
    ) -> None:
        await stage.provider.submit(wish(model))

        assert stage.plane.asked[0].body == {"input": {"prompt": "a japandi room", **given}}

    async def test_orders_a_version_by_its_id(self, stage: Stage) -> None:
        await stage.provider.submit(wish("somebody/new:5c7d5dc6"))

        (asked,) = stage.plane.asked
        assert (asked.path, asked.body["version"]) == ("/v1/predictions", "5c7d5dc6")

    async def test_asks_to_be_called_at_the_end(self, stage: Stage) -> None:
        await stage.provider.submit(wish(webhook_url=HOOK))

        body = stage.plane.asked[0].body
        assert (body["webhook"], body["webhook_events_filter"]) == (HOOK, ["completed"])

    async def test_gives_the_address_that_a_photo_has(self, stage: Stage) -> None:
        photo = replace(PHOTO, url="https://photos.example/room.png")

        await stage.provider.submit(wish(image=photo))

        assert stage.plane.asked[0].body["input"]["input_image"] == photo.url

    async def test_uploads_what_is_too_large_for_the_order(self, stage: Stage) -> None:
        await stage.provider.submit(wish(image=LARGE))

        upload, order = stage.plane.asked
        assert (upload.operation, order.operation) == ("upload", "create")
        assert upload.headers["Content-Type"].startswith("multipart/form-data")
        address = order.body["input"]["input_image"]
        assert address.startswith(f"{stage.base}/v1/files/")

    async def test_carries_the_key_but_never_shows_it(self, stage: Stage) -> None:
        submission = await stage.provider.submit(wish())

        assert stage.plane.asked[0].headers["Authorization"] == f"Bearer {KEY}"
        assert KEY not in repr(submission) + repr(stage.provider)


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "body", "code"),
        [
            (400, {"detail": "bad"}, FailureCode.INVALID_INPUT),
            (401, {"detail": "no token"}, FailureCode.AUTH),
            (402, {"detail": "no credit"}, FailureCode.QUOTA),
            (403, {"detail": "not yours"}, FailureCode.AUTH),
            (404, {"detail": "no such model"}, FailureCode.INVALID_INPUT),
            (408, None, FailureCode.TIMEOUT_AMBIGUOUS),
            (418, None, FailureCode.INVALID_INPUT),
            (422, {"detail": "prompt was flagged"}, FailureCode.MODERATED),
            (302, None, FailureCode.PROVIDER_FAILED),
            (500, {"detail": "oops"}, FailureCode.TIMEOUT_AMBIGUOUS),
            (502, None, FailureCode.TIMEOUT_AMBIGUOUS),
            (503, {"detail": "busy"}, FailureCode.TIMEOUT_AMBIGUOUS),
            (200, {"hello": "world"}, FailureCode.TIMEOUT_AMBIGUOUS),
            (201, {"id": "../account", "status": "starting"}, FailureCode.TIMEOUT_AMBIGUOUS),
            (201, {"id": "a", "status": "dreaming"}, FailureCode.TIMEOUT_AMBIGUOUS),
        ],
    )
    async def test_have_one_meaning_each(
        self, stage: Stage, status: int, body: object, code: FailureCode
    ) -> None:
        stage.fail(FaultKind.STATUS, status=status, body=body)

        assert (await refusal(stage)).code is code

    @pytest.mark.parametrize(
        ("kind", "code"),
        [
            (FaultKind.AUTH, FailureCode.AUTH),
            (FaultKind.QUOTA, FailureCode.QUOTA),
            (FaultKind.RATE_LIMITED, FailureCode.RATE_LIMITED),
            (FaultKind.RESET_BEFORE_BODY, FailureCode.TIMEOUT_AMBIGUOUS),
            (FaultKind.RESET_AFTER_BODY, FailureCode.TIMEOUT_AMBIGUOUS),
            (FaultKind.MALFORMED_JSON, FailureCode.TIMEOUT_AMBIGUOUS),
        ],
    )
    async def test_of_the_fake_are_understood(
        self, stage: Stage, kind: FaultKind, code: FailureCode
    ) -> None:
        stage.fail(kind)

        assert (await refusal(stage)).code is code

    async def test_name_the_invalid_fields(self, stage: Stage) -> None:
        fields = [{"type": "invalid", "field": "input.seed", "description": "must be positive"}]
        body = {"detail": "Input validation failed", "invalid_fields": fields}
        stage.fail(FaultKind.STATUS, status=422, body=body)

        failure = await refusal(stage)

        assert failure.code is FailureCode.INVALID_INPUT
        assert failure.message == "Input validation failed; input.seed must be positive"

    @pytest.mark.parametrize(
        ("headers", "detail", "seconds"),
        [
            ({"Retry-After": "12"}, "resets in ~30s", 12.0),
            ({}, "Request was throttled. Your rate limit resets in ~30s.", 30.0),
            ({}, "Your rate limit resets in ~2m", 120.0),
            ({}, "Slow down", None),
        ],
    )
    async def test_for_haste_say_how_long_to_wait(
        self, stage: Stage, headers: dict[str, str], detail: str, seconds: float | None
    ) -> None:
        stage.fail(FaultKind.STATUS, status=429, headers=headers, body={"detail": detail})

        assert (await refusal(stage)).retry_after_seconds == seconds

    async def test_of_an_upload_leave_no_doubt(self, stage: Stage) -> None:
        stage.fail(FaultKind.RESET_AFTER_BODY, operation="upload")

        with pytest.raises(ProviderFailure) as refused:
            await stage.provider.submit(wish(image=LARGE))

        assert refused.value.code is FailureCode.UNAVAILABLE
        assert stage.asked("create") == []

    async def test_include_that_nobody_is_there(self, stage: Stage) -> None:
        port = stage.base.rpartition(":")[2]
        provider = replace(stage.provider, base=f"https://127.0.0.1:{port}/v1")

        with pytest.raises(ProviderFailure) as refused:
            await provider.submit(wish())

        assert refused.value.code is FailureCode.UNAVAILABLE
        assert stage.plane.asked == []


class TestALostAnswer:
    async def test_is_one_order_and_one_bill(self, stage: Stage) -> None:
        stage.fail(FaultKind.RESET_AFTER_BODY)

        await refusal(stage)

        assert (len(stage.asked("create")), stage.plane.billed) == (1, 1)

    async def test_is_awaited_where_the_vendor_calls_back(self, stage: Stage) -> None:
        assert await stage.provider.recover(wish(webhook_url=HOOK)) is Recovery.AWAITED
        assert await stage.provider.recover(wish()) is Recovery.UNKNOWN
        assert stage.plane.asked == []

    async def test_is_not_awaited_where_the_vendor_cannot_call(self, stage: Stage) -> None:
        provider = replace(stage.provider, base="https://api.replicate.com/v1")

        lost = await provider.recover(wish(webhook_url="http://127.0.0.1:8000/hook"))

        assert lost is Recovery.UNKNOWN
