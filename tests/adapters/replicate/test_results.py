"""Watching work, fetching what it made, and what it cost."""

from datetime import timedelta

import pytest

from medici.adapters.providers.failure import FailureCode, ProviderFailure, WorkExpired
from medici.adapters.providers.provider import CancelOutcome, Cost, CostSource, Health, Phase
from medici.fakes.faults import FaultKind
from medici.fakes.pictures import picture_of
from medici.fakes.replicate.habits import OutputShape
from tests.adapters.replicate.conftest import BY_SIZE, BY_THE_SECOND, KEY, MODEL, Stage, wish

VERSION = "prices-of-the-test"


class TestPoll:
    async def test_follows_the_work_to_its_end(self, stage: Stage) -> None:
        stage.habits.seconds = 300
        ref = await stage.ref()
        seen = [await stage.provider.poll(ref)]

        for _ in range(2):
            stage.plane.advance(timedelta(seconds=160))
            seen.append(await stage.provider.poll(ref))

        assert [each.phase for each in seen] == [Phase.QUEUED, Phase.RUNNING, Phase.SUCCEEDED]
        assert [each.progress for each in seen] == [None, 0.5, 1.0]

    @pytest.mark.parametrize(
        "words",
        [
            "NSFW content detected. Try running it again.",
            "The input or output was flagged as sensitive. Please try again. (E005)",
            "Prediction failed: content policy",
        ],
    )
    async def test_knows_a_refused_picture_by_its_words(self, stage: Stage, words: str) -> None:
        stage.fail(FaultKind.JOB_FAILED, failure=words)

        seen = await stage.provider.poll(await stage.ref())

        assert seen.phase is Phase.MODERATED
        assert seen.failure is not None
        assert (seen.failure.code, seen.failure.message) == (FailureCode.MODERATED, words)

    async def test_tells_why_work_failed(self, stage: Stage) -> None:
        stage.fail(FaultKind.JOB_FAILED, failure="CUDA out of memory (E1001)")

        seen = await stage.provider.poll(await stage.ref())

        assert seen.phase is Phase.FAILED
        assert seen.failure is not None
        assert seen.failure.code is FailureCode.PROVIDER_FAILED
        assert seen.failure.message == "CUDA out of memory (E1001)"

    async def test_takes_aborted_for_canceled(self, stage: Stage) -> None:
        ref = await stage.ref()
        body = {"id": ref["request_id"], "status": "aborted"}
        stage.fail(FaultKind.STATUS, "get", status=200, body=body)

        seen = await stage.provider.poll(ref)

        assert (seen.phase, seen.cost) == (
            Phase.CANCELED,
            Cost(amount_micros=0, price_version=VERSION),
        )

    async def test_reads_on_where_a_detail_is_odd(self, stage: Stage) -> None:
        ref = await stage.ref()
        odd: dict[str, object] = {
            "metrics": {"predict_time": -1},
            "logs": [],
            "model": None,
            "data_removed": "?",
        }
        body = {"id": ref["request_id"], "status": "processing", **odd}
        stage.fail(FaultKind.STATUS, "get", status=200, body=body)

        assert (await stage.provider.poll(ref)).phase is Phase.RUNNING

    async def test_says_that_a_result_is_gone(self, stage: Stage) -> None:
        ref = await stage.ref()
        stage.plane.advance(timedelta(minutes=61))

        seen = await stage.provider.poll(ref)

        assert seen.phase is Phase.EXPIRED
        assert isinstance(seen.failure, WorkExpired)

    async def test_does_not_take_the_word_about_other_work(self, stage: Stage) -> None:
        ref = await stage.ref()
        body = {"id": "other", "status": "succeeded", "output": "https://elsewhere.example/a.png"}
        stage.fail(FaultKind.STATUS, "get", status=200, body=body)

        with pytest.raises(ProviderFailure, match="not about our work") as refused:
            await stage.provider.poll(ref)

        assert refused.value.code is FailureCode.UNAVAILABLE

    @pytest.mark.parametrize(
        ("kind", "more", "code"),
        [
            (FaultKind.AUTH, {}, FailureCode.AUTH),
            (FaultKind.RATE_LIMITED, {}, FailureCode.RATE_LIMITED),
            (FaultKind.STATUS, {"status": 500}, FailureCode.UNAVAILABLE),
            (FaultKind.STATUS, {"status": 408}, FailureCode.UNAVAILABLE),
            (FaultKind.STATUS, {"status": 302}, FailureCode.PROVIDER_FAILED),
            (FaultKind.STATUS, {"status": 404}, FailureCode.PROVIDER_FAILED),
            (FaultKind.STATUS, {"status": 422}, FailureCode.PROVIDER_FAILED),
            (FaultKind.MALFORMED_JSON, {}, FailureCode.UNAVAILABLE),
            (FaultKind.RESET_AFTER_BODY, {}, FailureCode.UNAVAILABLE),
        ],
    )
    async def test_can_be_answered_badly(
        self, stage: Stage, kind: FaultKind, more: dict[str, object], code: FailureCode
    ) -> None:
        ref = await stage.ref()
        stage.fail(kind, "get", **more)

        with pytest.raises(ProviderFailure) as refused:
            await stage.provider.poll(ref)

        assert refused.value.code is code


class TestFetch:
    @pytest.mark.parametrize("shape", OutputShape)
    async def test_finds_the_picture_in_each_shape(self, stage: Stage, shape: OutputShape) -> None:
        stage.habits.output = shape
        ref = await stage.ref()

        (artifact,) = await stage.provider.fetch(ref)

        assert (artifact.data, artifact.content_type) == (
            picture_of(ref["request_id"]),
            "image/png",
        )

    async def test_does_not_show_the_key_to_who_keeps_pictures(self, stage: Stage) -> None:
        await stage.provider.fetch(await stage.ref())

        (asked,) = stage.asked("artifact")
        assert KEY not in str(asked.headers)

    async def test_says_that_nothing_was_made(self, stage: Stage) -> None:
        stage.fail(FaultKind.EMPTY_IMAGES)

        with pytest.raises(ProviderFailure) as refused:
            await stage.provider.fetch(await stage.ref())

        assert refused.value.code is FailureCode.NO_OUTPUT

    @pytest.mark.parametrize(
        ("kind", "code"),
        [
            (FaultKind.BAD_IMAGE_BYTES, FailureCode.NO_OUTPUT),
            (FaultKind.REDIRECT_OTHER_ORIGIN, FailureCode.PROVIDER_FAILED),
            (FaultKind.RESET_BEFORE_BODY, FailureCode.UNAVAILABLE),
            (FaultKind.STATUS, FailureCode.UNAVAILABLE),
        ],
    )
    async def test_can_go_wrong(self, stage: Stage, kind: FaultKind, code: FailureCode) -> None:
        ref = await stage.ref()
        stage.fail(kind, "artifact", headers={"Location": "http://127.0.0.1:1/"})

        with pytest.raises(ProviderFailure) as refused:
            await stage.provider.fetch(ref)

        assert refused.value.code is code

    async def test_says_that_the_file_is_gone(self, stage: Stage) -> None:
        stage.fail(FaultKind.EXPIRED_URL)

        with pytest.raises(WorkExpired):
            await stage.provider.fetch(await stage.ref())

    async def test_says_that_the_result_was_removed(self, stage: Stage) -> None:
        ref = await stage.ref()
        stage.plane.advance(timedelta(minutes=61))

        with pytest.raises(WorkExpired):
            await stage.provider.fetch(ref)


class TestCost:
    @pytest.mark.parametrize(
        ("model", "micros"),
        [(MODEL, 40_000), (f"{MODEL}:v1", 40_000), (BY_THE_SECOND, 29_250), (BY_SIZE, 30_000)],
    )
    def test_is_estimated_from_the_list(self, stage: Stage, model: str, micros: int) -> None:
        assert stage.provider.estimate_cost(wish(model)) == Cost(
            amount_micros=micros, price_version=VERSION
        )

    def test_of_an_unknown_model_is_estimated_high(self, stage: Stage) -> None:
        assert stage.provider.estimate_cost(wish("a/b")) == Cost(amount_micros=100_000)

    @pytest.mark.parametrize(
        ("model", "cost"),
        [
            (MODEL, Cost(amount_micros=40_000, price_version=VERSION)),
            (
                BY_THE_SECOND,
                Cost(
                    amount_micros=5_119,  # 5.25 s at 0.000975 USD: 5118.75
                    source=CostSource.PREDICT_TIME,
                    price_version=VERSION,
                ),
            ),
            (BY_SIZE, Cost(amount_micros=30_000, price_version=VERSION)),
            ("somebody/unknown", Cost(amount_micros=100_000)),
        ],
    )
    async def test_is_told_at_the_end(self, stage: Stage, model: str, cost: Cost) -> None:
        assert (await stage.provider.poll(await stage.ref(model))).cost == cost

    @pytest.mark.parametrize(("model", "micros"), [(MODEL, 0), (BY_THE_SECOND, 5_119)])
    async def test_of_failed_work_is_the_time_it_took(
        self, stage: Stage, model: str, micros: int
    ) -> None:
        stage.fail(FaultKind.JOB_FAILED)

        cost = (await stage.provider.poll(await stage.ref(model))).cost

        assert cost is not None
        assert cost.amount_micros == micros

    async def test_counts_the_pictures(self, stage: Stage) -> None:
        ref = await stage.ref()
        body = {"id": ref["request_id"], "status": "succeeded", "metrics": {"image_count": 3}}
        stage.fail(FaultKind.STATUS, "get", status=200, body=body)

        cost = (await stage.provider.poll(ref)).cost

        assert cost is not None
        assert cost.amount_micros == 120_000

    async def test_is_open_while_it_runs(self, stage: Stage) -> None:
        stage.habits.seconds = 60

        assert (await stage.provider.poll(await stage.ref())).cost is None


class TestCancel:
    async def test_stops_what_runs(self, stage: Stage) -> None:
        stage.habits.seconds = 60

        assert await stage.provider.cancel(await stage.ref()) is CancelOutcome.CANCELED

    async def test_comes_too_late(self, stage: Stage) -> None:
        assert await stage.provider.cancel(await stage.ref()) is CancelOutcome.TOO_LATE

    async def test_of_unknown_work_comes_too_late(self, stage: Stage) -> None:
        ref = {"request_id": "nothing", "model": MODEL}

        assert await stage.provider.cancel(ref) is CancelOutcome.TOO_LATE

    async def test_may_take_a_while(self, stage: Stage) -> None:
        ref = await stage.ref()
        body = {"id": ref["request_id"], "status": "processing"}
        stage.fail(FaultKind.STATUS, "cancel", status=202, body=body)

        assert await stage.provider.cancel(ref) is CancelOutcome.REQUESTED

    async def test_can_be_repeated_where_its_answer_is_lost(self, stage: Stage) -> None:
        ref = await stage.ref()
        stage.fail(FaultKind.RESET_AFTER_BODY, "cancel")

        with pytest.raises(ProviderFailure) as refused:
            await stage.provider.cancel(ref)

        assert refused.value.code is FailureCode.UNAVAILABLE


class TestProbe:
    async def test_asks_who_we_are_and_orders_nothing(self, stage: Stage) -> None:
        assert await stage.provider.probe() == Health(ok=True)
        assert [asked.path for asked in stage.plane.asked] == ["/v1/account"]

    async def test_tells_of_a_bad_key(self, stage: Stage) -> None:
        stage.fail(FaultKind.AUTH, "account")

        assert await stage.provider.probe() == Health(
            ok=False, detail="auth: You did not pass a valid authentication token"
        )

    async def test_tells_that_nobody_answers(self, stage: Stage) -> None:
        stage.fail(FaultKind.RESET_BEFORE_BODY, "account")

        assert await stage.provider.probe() == Health(ok=False, detail="the connection broke")
