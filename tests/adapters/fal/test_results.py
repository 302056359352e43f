"""Following work at fal to its end, whichever that is."""

import pytest

from medici.adapters.providers.failure import FailureCode, ProviderFailure, WorkExpired
from medici.adapters.providers.provider import CancelOutcome, CostSource, Phase
from medici.fakes.faults import FaultKind
from medici.fakes.pictures import picture_of
from tests.adapters.fal.conftest import KEY, Stage, wish


class TestPoll:
    async def test_tells_the_place_in_the_queue_then_the_end_and_its_cost(
        self, stage: Stage
    ) -> None:
        ref = (await stage.provider.submit(wish())).ref

        seen = [await stage.provider.poll(ref) for _ in range(4)]

        assert [(one.phase, one.position) for one in seen] == [
            (Phase.QUEUED, 1),
            (Phase.QUEUED, 0),
            (Phase.RUNNING, None),
            (Phase.SUCCEEDED, None),
        ]
        cost = seen[-1].cost
        assert cost is not None
        assert (cost.amount_micros, cost.source) == (4915, CostSource.BILLABLE_UNITS)
        assert cost.price_version == "prices-of-the-test"

    async def test_finds_work_that_only_a_webhook_told_of(self, stage: Stage) -> None:
        ref = await stage.ref()

        found = await stage.provider.poll({"request_id": ref["request_id"], "model": ref["model"]})

        assert found.phase is Phase.SUCCEEDED

    @pytest.mark.parametrize(
        ("kind", "failure", "phase", "code"),
        [
            (FaultKind.MODERATED, "", Phase.MODERATED, FailureCode.MODERATED),
            (
                FaultKind.JOB_FAILED,
                "runner_server_error",
                Phase.FAILED,
                FailureCode.PROVIDER_FAILED,
            ),
            (FaultKind.JOB_FAILED, "generation_timeout", Phase.FAILED, FailureCode.PROVIDER_FAILED),
            (FaultKind.JOB_FAILED, "no_media_generated", Phase.FAILED, FailureCode.NO_OUTPUT),
        ],
    )
    async def test_knows_a_completed_failure(
        self, stage: Stage, kind: FaultKind, failure: str, phase: Phase, code: FailureCode
    ) -> None:
        stage.fail(kind, failure=failure)

        seen = await stage.provider.poll(await stage.ref())

        assert seen.failure is not None
        assert (seen.phase, seen.failure.code) == (phase, code)

    @pytest.mark.parametrize("kind", [FaultKind.RESET_AFTER_BODY, FaultKind.MALFORMED_JSON])
    async def test_takes_a_lost_answer_for_a_moment_of_silence(
        self, stage: Stage, kind: FaultKind
    ) -> None:
        ref = await stage.ref()
        stage.fail(kind, "status")

        with pytest.raises(ProviderFailure) as failure:
            await stage.provider.poll(ref)

        assert failure.value.code is FailureCode.UNAVAILABLE

    async def test_expires_with_work_that_fal_has_forgotten(self, stage: Stage) -> None:
        ref = await stage.ref()
        stage.plane.work.clear()

        with pytest.raises(WorkExpired):
            await stage.provider.poll(ref)

    async def test_does_not_believe_an_answer_about_other_work(self, stage: Stage) -> None:
        ref = await stage.ref()
        other = {"status": "COMPLETED", "request_id": "somebody-elses"}
        stage.fail(FaultKind.STATUS, "status", status=200, body=other)

        with pytest.raises(ProviderFailure) as failure:
            await stage.provider.poll(ref)

        assert failure.value.code is FailureCode.UNAVAILABLE

    async def test_takes_pictures_that_were_all_marked_for_moderated(self, stage: Stage) -> None:
        ref = await stage.ref()
        marked = {"images": [{"url": "https://x.example/a.png"}], "has_nsfw_concepts": [True]}
        stage.fail(FaultKind.STATUS, "result", status=200, body=marked)

        assert (await stage.provider.poll(ref)).phase is Phase.MODERATED

    async def test_counts_pictures_where_fal_counts_nothing(self, stage: Stage) -> None:
        ref = await stage.ref()
        picture = {"url": "https://x.example/a.png", "width": 1000, "height": 1200}
        stage.fail(FaultKind.STATUS, "result", status=200, body={"images": [picture]})

        cost = (await stage.provider.poll(ref)).cost

        assert cost is not None
        assert (cost.amount_micros, cost.source) == (30_000, CostSource.PRICE_TABLE)


class TestFetch:
    async def test_brings_the_picture_and_shows_its_host_no_key(self, stage: Stage) -> None:
        ref = await stage.ref()

        (picture,) = await stage.provider.fetch(ref)

        assert picture.data == picture_of(ref["request_id"])
        assert picture.content_type == "image/png"
        assert KEY not in str(stage.asked("artifact")[0].headers)

    async def test_brings_nothing_where_there_is_none(self, stage: Stage) -> None:
        stage.fail(FaultKind.EMPTY_IMAGES)

        assert await stage.provider.fetch(await stage.ref()) == ()

    @pytest.mark.parametrize(
        ("kind", "code"),
        [
            (FaultKind.EXPIRED_URL, FailureCode.PROVIDER_FAILED),
            (FaultKind.BAD_IMAGE_BYTES, FailureCode.NO_OUTPUT),
            (FaultKind.RESET_AFTER_BODY, FailureCode.UNAVAILABLE),
        ],
    )
    async def test_says_why_the_picture_cannot_be_had(
        self, stage: Stage, kind: FaultKind, code: FailureCode
    ) -> None:
        ref = await stage.ref()
        stage.fail(kind, "artifact")

        with pytest.raises(ProviderFailure) as failure:
            await stage.provider.fetch(ref)

        assert failure.value.code is code


class TestCancel:
    async def test_is_a_wish_while_the_work_is_there(self, stage: Stage) -> None:
        ref = (await stage.provider.submit(wish())).ref

        assert await stage.provider.cancel(ref) is CancelOutcome.REQUESTED
        assert (await stage.provider.poll(ref)).phase is Phase.CANCELED
        assert stage.plane.billed == 0

    async def test_comes_too_late_for_what_has_ended(self, stage: Stage) -> None:
        assert await stage.provider.cancel(await stage.ref()) is CancelOutcome.TOO_LATE


class TestProbe:
    async def test_costs_nothing(self, stage: Stage) -> None:
        assert (await stage.provider.probe()).ok
        assert stage.plane.billed == 0

    async def test_tells_of_a_key_that_is_refused(self, stage: Stage) -> None:
        stage.fail(FaultKind.AUTH, "status")

        assert (await stage.provider.probe()).ok is False
