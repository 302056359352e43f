"""Following work at fal to its end, whichever that is."""

from dataclasses import replace

import pytest

from medici.adapters.providers.failure import FailureCode, ProviderFailure, WorkExpired
from medici.adapters.providers.provider import Cost, CostSource, Phase
from medici.adapters.providers.request import Tier
from medici.fakes.faults import FaultKind
from tests.adapters.fal.conftest import Stage, wish

FREE = Cost(amount_micros=0)


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
            (FaultKind.JOB_FAILED, "request_timeout", Phase.FAILED, FailureCode.PROVIDER_FAILED),
            (FaultKind.JOB_FAILED, "no_media_generated", Phase.FAILED, FailureCode.NO_OUTPUT),
            (FaultKind.JOB_FAILED, "image_too_small", Phase.FAILED, FailureCode.INVALID_INPUT),
        ],
    )
    async def test_knows_a_completed_failure(
        self, stage: Stage, kind: FaultKind, failure: str, phase: Phase, code: FailureCode
    ) -> None:
        stage.fail(kind, failure=failure)

        seen = await stage.provider.poll(await stage.ref())

        assert seen.failure is not None
        assert (seen.phase, seen.failure.code) == (phase, code)

    @pytest.mark.parametrize("vanished", ["client_cancelled", "client_disconnected"])
    async def test_knows_canceled_work(self, stage: Stage, vanished: str) -> None:
        stage.fail(FaultKind.JOB_FAILED, failure=vanished)

        seen = await stage.provider.poll(await stage.ref())

        assert (seen.phase, seen.failure) == (Phase.CANCELED, None)

    @pytest.mark.parametrize(
        ("tier", "failure", "code", "cost"),
        [
            (Tier.FINAL, "runner_server_error", FailureCode.PROVIDER_FAILED, None),
            (Tier.PREVIEW, "runner_server_error", FailureCode.UNAVAILABLE, FREE),
            (Tier.PREVIEW, "downstream_service_error", FailureCode.UNAVAILABLE, FREE),
            (Tier.PREVIEW, "generation_timeout", FailureCode.PROVIDER_FAILED, None),
        ],
    )
    async def test_has_another_try_left_where_the_queue_made_none(
        self, stage: Stage, tier: Tier, failure: str, code: FailureCode, cost: Cost | None
    ) -> None:
        stage.pace.seconds = 0
        stage.fail(FaultKind.JOB_FAILED, failure=failure)
        ref = (await stage.provider.submit(wish(tier=tier))).ref

        seen = await stage.provider.poll(ref)

        assert seen.failure is not None
        assert (seen.failure.code, seen.cost) == (code, cost)
        assert stage.plane.billed == 0

    @pytest.mark.parametrize(
        ("tier", "headers", "code"),
        [
            (Tier.PREVIEW, {}, FailureCode.UNAVAILABLE),
            (Tier.PREVIEW, {"X-Fal-Retryable": "false"}, FailureCode.PROVIDER_FAILED),
            (Tier.PREVIEW, {"X-Fal-Request-Timeout-Type": "user"}, FailureCode.PROVIDER_FAILED),
            (Tier.FINAL, {"X-Fal-Retryable": "true"}, FailureCode.PROVIDER_FAILED),
        ],
    )
    async def test_reads_at_the_result_whether_another_try_may_help(
        self, stage: Stage, tier: Tier, headers: dict[str, str], code: FailureCode
    ) -> None:
        stage.pace.seconds = 0
        ref = (await stage.provider.submit(wish(tier=tier))).ref
        body = {"detail": "gone", "error_type": "runner_disconnected"}
        typed = {"X-Fal-Error-Type": "runner_disconnected", **headers}
        stage.fail(FaultKind.STATUS, "result", status=503, body=body, headers=typed)

        seen = await stage.provider.poll(ref)

        assert seen.failure is not None
        assert seen.failure.code is code

    async def test_takes_work_that_never_began_for_failed(self, stage: Stage) -> None:
        ref = await stage.ref()
        late = {"X-Fal-Request-Timeout-Type": "user"}
        stage.fail(FaultKind.STATUS, "result", status=504, headers=late)

        seen = await stage.provider.poll(ref)

        assert seen.failure is not None
        assert seen.failure.code is FailureCode.PROVIDER_FAILED

    @pytest.mark.parametrize("operation", ["status", "result"])
    async def test_asks_again_where_an_edge_stumbled(self, stage: Stage, operation: str) -> None:
        ref = await stage.ref()
        stage.fail(FaultKind.STATUS, operation, status=502)

        with pytest.raises(ProviderFailure) as failure:
            await stage.provider.poll(ref)

        assert failure.value.code is FailureCode.UNAVAILABLE

    @pytest.mark.parametrize("operation", ["status", "result"])
    async def test_does_not_wait_for_ever(self, stage: Stage, operation: str) -> None:
        ref = await stage.ref()
        stage.fail(FaultKind.HANG, operation)

        with pytest.raises(ProviderFailure) as failure:
            await replace(stage.provider, read_seconds=0.2).poll(ref)

        assert failure.value.code is FailureCode.UNAVAILABLE

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


class TestProbe:
    async def test_costs_nothing(self, stage: Stage) -> None:
        assert (await stage.provider.probe()).ok
        assert stage.plane.billed == 0

    async def test_tells_of_a_key_that_is_refused(self, stage: Stage) -> None:
        stage.fail(FaultKind.AUTH, "status")

        assert (await stage.provider.probe()).ok is False
