"""Handing work to fal: one request, and a clear word about what became of it."""

from dataclasses import replace
from typing import Any

import pytest

from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.fal.endpoints import app_of
from medici.adapters.providers.provider import Phase, Recovery
from medici.adapters.providers.request import Tier
from medici.domain.rendering.rules import ATTEMPT_LIFETIME
from medici.fakes.faults import FaultKind
from tests.adapters.fal.conftest import BY_IMAGE, KEY, MODEL, PHOTO, Stage, wish


async def refused(stage: Stage) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as failure:
        await stage.provider.submit(wish())
    return failure.value


class TestSubmit:
    async def test_queues_the_work_and_keeps_its_addresses(self, stage: Stage) -> None:
        submission = await stage.provider.submit(wish())

        work = next(iter(stage.plane.work.values()))
        assert submission.observation.phase is Phase.QUEUED
        assert submission.ref == {
            "request_id": work.id,
            "model": MODEL,
            "retries": True,
            "status_url": f"{stage.base}/fal-ai/flux/requests/{work.id}/status",
            "response_url": f"{stage.base}/fal-ai/flux/requests/{work.id}",
            "cancel_url": f"{stage.base}/fal-ai/flux/requests/{work.id}/cancel",
        }
        assert work.input == {
            "prompt": "a japandi room",
            "strength": 0.85,
            "output_format": "png",
            "image_url": "data:image/png;base64,iVBORw0KGgogYSBwaG90bw==",
            "seed": 7,
        }

    async def test_gives_the_picture_as_a_list_where_the_model_wants_one(
        self, stage: Stage
    ) -> None:
        await stage.provider.submit(wish(BY_IMAGE))

        (work,) = stage.plane.work.values()
        assert len(work.input["image_urls"]) == 1
        assert "image_url" not in work.input

    async def test_marks_what_may_change_where_the_model_can_be_told(self, stage: Stage) -> None:
        mask = replace(PHOTO, data=b"\x89PNG\r\n\x1a\n a mask")

        await stage.provider.submit(wish("openai/gpt-image-2/edit", mask=mask))
        await stage.provider.submit(wish(BY_IMAGE, mask=mask))

        told, untold = (work.input for work in stage.plane.work.values())
        assert told["mask_url"] == "data:image/png;base64,iVBORw0KGgogYSBtYXNr"
        assert "mask_url" not in untold

    async def test_uploads_a_large_picture_without_showing_the_key(self, stage: Stage) -> None:
        large = replace(PHOTO, data=PHOTO.data + bytes(1_000_000))

        await stage.provider.submit(wish(image=large))

        (put,), (work,) = stage.asked("put"), stage.plane.work.values()
        assert work.input["image_url"].startswith(f"{stage.base}/uploads/")
        assert "Authorization" not in put.headers
        assert put.body == len(large.data)

    async def test_names_our_webhook(self, stage: Stage) -> None:
        address = "https://shop.example/v1/providers/fal/webhook/7?a=b&c"

        await stage.provider.submit(wish(webhook_url=address))

        assert stage.asked("submit")[0].query == {"fal_webhook": address}

    async def test_does_not_believe_addresses_of_another_origin(self, stage: Stage) -> None:
        named = ("status_url", "response_url", "cancel_url")
        lie = {"request_id": "7", **dict.fromkeys(named, "https://thief.example/7")}
        stage.fail(FaultKind.STATUS, status=200, body=lie)

        ref = (await stage.provider.submit(wish())).ref

        root = f"{stage.base}/fal-ai/flux/requests/7"
        assert [ref[name] for name in named] == [f"{root}/status", root, f"{root}/cancel"]

    async def test_shows_the_key_to_the_queue_alone(self, stage: Stage) -> None:
        await stage.provider.submit(wish())

        assert stage.asked("submit")[0].headers["Authorization"] == f"Key {KEY}"
        assert KEY not in repr(stage.provider)


class TestPatience:
    async def test_does_not_let_work_begin_when_nobody_waits_any_more(self, stage: Stage) -> None:
        await stage.provider.submit(wish())

        headers = stage.asked("submit")[0].headers
        assert headers["X-Fal-Request-Timeout"] == "840"
        assert stage.provider.start_seconds < ATTEMPT_LIFETIME.total_seconds()
        assert "X-Fal-No-Retry" not in headers

    async def test_has_previews_fail_at_once(self, stage: Stage) -> None:
        submission = await stage.provider.submit(wish(tier=Tier.PREVIEW))

        assert stage.asked("submit")[0].headers["X-Fal-No-Retry"] == "1"
        assert submission.ref["retries"] is False

    @pytest.mark.parametrize(
        ("kind", "more"), [(FaultKind.HANG, {}), (FaultKind.SLOW, {"milliseconds": 400})]
    )
    async def test_ends_in_doubt(self, stage: Stage, kind: FaultKind, more: dict[str, Any]) -> None:
        stage.fail(kind, **more)
        hasty = replace(stage.provider, submit_seconds=0.2)

        with pytest.raises(ProviderFailure) as failure:
            await hasty.submit(wish())

        assert failure.value.code is FailureCode.TIMEOUT_AMBIGUOUS
        assert len(stage.asked("submit")) == 1

    async def test_bears_an_answer_that_is_only_slow(self, stage: Stage) -> None:
        stage.fail(FaultKind.SLOW, milliseconds=200)

        submission = await stage.provider.submit(wish())

        assert submission.observation.phase is Phase.QUEUED


class TestHints:
    """What fal says itself of another try."""

    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            ({}, FailureCode.UNAVAILABLE),
            ({"X-Fal-Retryable": "true"}, FailureCode.UNAVAILABLE),
            ({"X-Fal-Retryable": "false"}, FailureCode.PROVIDER_FAILED),
            ({"X-Fal-Needs-Retry": "1"}, FailureCode.UNAVAILABLE),
            ({"X-Fal-Needs-Retry": "0"}, FailureCode.PROVIDER_FAILED),
            ({"X-Fal-Needs-Retry": "False"}, FailureCode.PROVIDER_FAILED),
            ({"X-Fal-Needs-Retry": "perhaps"}, FailureCode.UNAVAILABLE),
            ({"X-Fal-Needs-Retry": "1", "X-Fal-Retryable": "false"}, FailureCode.UNAVAILABLE),
            ({"X-Fal-Request-Timeout-Type": "user"}, FailureCode.PROVIDER_FAILED),
        ],
    )
    async def test_decide_about_a_platform_error(
        self, stage: Stage, headers: dict[str, str], code: FailureCode
    ) -> None:
        body = {"detail": "no runner", "error_type": "runner_scheduling_failure"}
        stage.fail(FaultKind.STATUS, status=503, body=body, headers=headers)

        assert (await refused(stage)).code is code

    @pytest.mark.parametrize(
        ("body", "headers", "code"),
        [
            ({"error_type": "new"}, {"X-Fal-Retryable": "true"}, FailureCode.UNAVAILABLE),
            ({"error_type": "new"}, {}, FailureCode.TIMEOUT_AMBIGUOUS),
            ({}, {"X-Fal-Retryable": "true"}, FailureCode.TIMEOUT_AMBIGUOUS),
            ({}, {"X-Fal-Request-Timeout-Type": "user"}, FailureCode.PROVIDER_FAILED),
        ],
    )
    async def test_prove_nothing_without_a_type(
        self, stage: Stage, body: dict[str, str], headers: dict[str, str], code: FailureCode
    ) -> None:
        stage.fail(FaultKind.STATUS, status=504, body=body, headers=headers)

        assert (await refused(stage)).code is code


class TestRefusal:
    @pytest.mark.parametrize(
        ("kind", "more", "code"),
        [
            (FaultKind.AUTH, {}, FailureCode.AUTH),
            (FaultKind.QUOTA, {}, FailureCode.QUOTA),
            (FaultKind.RATE_LIMITED, {"retry_after": 7}, FailureCode.RATE_LIMITED),
            (FaultKind.STATUS, {"status": 500}, FailureCode.TIMEOUT_AMBIGUOUS),
            (FaultKind.STATUS, {"status": 502}, FailureCode.TIMEOUT_AMBIGUOUS),
            (
                FaultKind.STATUS,
                {
                    "status": 503,
                    "body": {"detail": "no runner", "error_type": "runner_scheduling_failure"},
                },
                FailureCode.UNAVAILABLE,
            ),
            (
                FaultKind.STATUS,
                {"status": 422, "body": {"detail": "the picture is odd"}},
                FailureCode.INVALID_INPUT,
            ),
            (
                FaultKind.STATUS,
                {
                    "status": 422,
                    "body": {"detail": [{"msg": "no", "type": "content_policy_violation"}]},
                },
                FailureCode.MODERATED,
            ),
            (
                FaultKind.STATUS,
                {"status": 422, "body": {"detail": [{"msg": "tiny", "type": "image_too_small"}]}},
                FailureCode.INVALID_INPUT,
            ),
            (FaultKind.STATUS, {"status": 404}, FailureCode.INVALID_INPUT),
            (FaultKind.RESET_AFTER_BODY, {}, FailureCode.TIMEOUT_AMBIGUOUS),
            (FaultKind.RESET_BEFORE_BODY, {}, FailureCode.TIMEOUT_AMBIGUOUS),
            (FaultKind.MALFORMED_JSON, {}, FailureCode.TIMEOUT_AMBIGUOUS),
        ],
    )
    async def test_has_a_code(
        self, stage: Stage, kind: FaultKind, more: dict[str, Any], code: FailureCode
    ) -> None:
        stage.fail(kind, **more)

        assert (await refused(stage)).code is code

    async def test_carries_the_wait_that_fal_asks_for(self, stage: Stage) -> None:
        stage.fail(FaultKind.RATE_LIMITED, retry_after=7)

        assert (await refused(stage)).retry_after_seconds == 7

    async def test_never_sends_twice(self, stage: Stage) -> None:
        stage.fail(FaultKind.RESET_AFTER_BODY)

        await refused(stage)

        assert len(stage.asked("submit")) == 1
        assert stage.plane.billed == 1

    async def test_of_an_upload_leaves_no_doubt_that_nothing_was_ordered(
        self, stage: Stage
    ) -> None:
        stage.fail(FaultKind.RESET_AFTER_BODY, "upload")
        large = replace(PHOTO, data=PHOTO.data + bytes(1_000_000))

        with pytest.raises(ProviderFailure) as failure:
            await stage.provider.submit(wish(image=large))

        assert failure.value.code is FailureCode.UNAVAILABLE
        assert stage.asked("submit") == []


class TestRecover:
    async def test_waits_for_the_call_that_was_asked_for(self, stage: Stage) -> None:
        called = await stage.provider.recover(wish(webhook_url="https://shop.example/hook"))

        assert called is Recovery.AWAITED
        assert await stage.provider.recover(wish()) is Recovery.UNKNOWN


class TestEstimate:
    async def test_counts_by_size_or_by_picture(self, stage: Stage) -> None:
        by_size = stage.provider.estimate_cost(wish(max_pixels=1_200_000))
        by_image = stage.provider.estimate_cost(wish(BY_IMAGE))
        unknown = stage.provider.estimate_cost(wish("somebody/new"))

        amounts = [cost.amount_micros for cost in (by_size, by_image, unknown)]
        assert amounts == [30_000, 39_000, 100_000]


class TestAppOf:
    @pytest.mark.parametrize(
        ("endpoint", "app"),
        [
            ("fal-ai/flux/dev/image-to-image", "fal-ai/flux"),
            ("fal-ai/flux-pro/kontext", "fal-ai/flux-pro"),
            ("workflows/ada/rooms/v2", "workflows/ada/rooms"),
            ("comfy/ada/rooms", "comfy/ada/rooms"),
        ],
    )
    def test_cuts_what_the_queue_does_not_serve(self, endpoint: str, app: str) -> None:
        assert app_of(endpoint) == app
