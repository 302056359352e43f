"""Every way in which OpenAI can fail, and what it means for the job."""

from dataclasses import replace
from datetime import timedelta
from socket import socket
from typing import Any

import pytest

from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.fakes.faults import FaultKind
from medici.kernel.net.client import OutgoingClient
from tests.adapters.elsewhere import elsewhere
from tests.adapters.openai.conftest import KEY, REQUEST, Bench

DATES = ("Tue, 24 Nov 2026 00:00:02 GMT", "Tue, 24 Nov 2026 00:00:09 GMT")
BY_THE_API = {"x-request-id": "req_1"}


def error(
    code: str | None = None, message: str = "no", kind: str = "invalid_request_error"
) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "body", "code"),
        [
            (400, error("moderation_blocked"), FailureCode.MODERATED),
            (400, error("content_policy_violation"), FailureCode.MODERATED),
            (400, error("invalid_value"), FailureCode.INVALID_INPUT),
            (400, error("image_too_large"), FailureCode.INVALID_INPUT),
            (400, error(), FailureCode.INVALID_INPUT),
            (400, error("billing_hard_limit_reached"), FailureCode.QUOTA),
            (401, error("invalid_api_key"), FailureCode.AUTH),
            (402, error(), FailureCode.QUOTA),
            (403, error(message="organization must be verified"), FailureCode.AUTH),
            (400, error("model_not_found"), FailureCode.PROVIDER_FAILED),
            (404, error("model_not_found"), FailureCode.PROVIDER_FAILED),
            (404, {"detail": "not here"}, FailureCode.PROVIDER_FAILED),
            (408, error(), FailureCode.TIMEOUT_AMBIGUOUS),
            (413, None, FailureCode.INVALID_INPUT),
            (422, [1], FailureCode.INVALID_INPUT),
            (429, error("rate_limit_exceeded"), FailureCode.RATE_LIMITED),
            (429, error("insufficient_quota"), FailureCode.QUOTA),
            (429, "slow down", FailureCode.RATE_LIMITED),
        ],
    )
    async def test_mean_what_the_table_says(
        self, bench: Bench, status: int, body: object, code: FailureCode
    ) -> None:
        bench.fail(FaultKind.STATUS, status=status, body=body)

        assert (await bench.failure()).code is code
        assert len(bench.plane.asked) == 1

    @pytest.mark.parametrize(
        ("kind", "failure", "code"),
        [
            (FaultKind.AUTH, "", FailureCode.AUTH),
            (FaultKind.QUOTA, "", FailureCode.QUOTA),
            (FaultKind.QUOTA, "billing_hard_limit_reached", FailureCode.QUOTA),
            (FaultKind.RATE_LIMITED, "", FailureCode.RATE_LIMITED),
            (FaultKind.MODERATED, "", FailureCode.MODERATED),
            (FaultKind.MODERATED, "content_policy_violation", FailureCode.MODERATED),
            (FaultKind.REDIRECT_OTHER_ORIGIN, "", FailureCode.PROVIDER_FAILED),
        ],
    )
    async def test_of_the_fake_bill_nothing(
        self, bench: Bench, kind: FaultKind, failure: str, code: FailureCode
    ) -> None:
        bench.fail(kind, failure=failure)

        assert (await bench.failure()).code is code
        assert (len(bench.plane.asked), bench.plane.billed) == (1, 0)

    async def test_keep_the_rules_that_were_violated(self, bench: Bench) -> None:
        long = "We refuse this. " * 60 + "safety_violations=[violence, self-harm]."
        bench.fail(FaultKind.STATUS, status=400, body=error("moderation_blocked", long))

        failure = await bench.failure()

        assert failure.message.startswith(
            "400 moderation_blocked: safety_violations=[violence, self-harm]: We refuse"
        )
        assert len(failure.message) == 500

    async def test_never_repeat_the_key(self, bench: Bench) -> None:
        bench.fail(FaultKind.STATUS, status=400, body=error(message=f"odd key {KEY} there"))

        assert (await bench.failure()).message == "400 invalid_request_error: odd key [key] there"

    async def test_of_the_key_repeat_none_of_it(self, bench: Bench) -> None:
        bench.fail(FaultKind.AUTH)

        assert (await bench.failure()).message == "401 invalid_api_key"

    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [
            ({"retry-after": "7"}, 7.0),
            ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
            ({"retry-after": DATES[1], "date": DATES[0]}, 7.0),
            ({"retry-after": DATES[0], "date": DATES[1]}, 0.0),
            ({"retry-after": "soon"}, None),
            ({}, None),
        ],
    )
    async def test_pass_on_how_long_to_wait(
        self, bench: Bench, headers: dict[str, str], seconds: float | None
    ) -> None:
        body = error("rate_limit_exceeded")
        bench.fail(FaultKind.STATUS, status=429, body=body, headers=headers)

        assert (await bench.failure()).retry_after_seconds == seconds


class TestServerErrors:
    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    async def test_that_come_at_once_from_the_api_precede_the_work(
        self, bench: Bench, status: int
    ) -> None:
        bench.fail(FaultKind.STATUS, status=status, headers=BY_THE_API)

        assert (await bench.failure()).code is FailureCode.UNAVAILABLE

    @pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
    async def test_from_an_edge_prove_nothing(self, bench: Bench, status: int) -> None:
        bench.fail(FaultKind.STATUS, status=status)

        assert (await bench.failure()).code is FailureCode.TIMEOUT_AMBIGUOUS

    @pytest.mark.parametrize(
        ("took", "code"),
        [
            (timedelta(seconds=1.999), FailureCode.UNAVAILABLE),
            (timedelta(seconds=2), FailureCode.TIMEOUT_AMBIGUOUS),
            (timedelta(seconds=-1), FailureCode.TIMEOUT_AMBIGUOUS),
        ],
    )
    async def test_are_judged_by_when_they_came(
        self, bench: Bench, took: timedelta, code: FailureCode
    ) -> None:
        bench.clock.step = took
        bench.fail(FaultKind.STATUS, status=500, headers=BY_THE_API)

        assert (await bench.failure()).code is code


class TestLostAnswers:
    async def test_leave_paid_work_unknown_after_one_call(self, bench: Bench) -> None:
        bench.fail(FaultKind.RESET_AFTER_BODY)

        assert (await bench.failure()).code is FailureCode.TIMEOUT_AMBIGUOUS
        assert (bench.the_call().operation, bench.plane.billed) == ("edit", 1)

    async def test_before_the_work_are_unknown_too(self, bench: Bench) -> None:
        bench.fail(FaultKind.RESET_BEFORE_BODY)

        assert (await bench.failure()).code is FailureCode.TIMEOUT_AMBIGUOUS
        assert bench.plane.billed == 0

    async def test_that_nobody_understands_are_unknown(self, bench: Bench) -> None:
        bench.fail(FaultKind.MALFORMED_JSON)

        assert (await bench.failure()).code is FailureCode.TIMEOUT_AMBIGUOUS
        assert bench.plane.billed == 1

    @pytest.mark.parametrize("body", [None, [], "ok", {}, {"created": 1, "data": {"b64_json": ""}}])
    async def test_of_another_shape_are_unknown(self, bench: Bench, body: object) -> None:
        bench.fail(FaultKind.STATUS, status=200, body=body)

        assert (await bench.failure()).code is FailureCode.TIMEOUT_AMBIGUOUS

    @pytest.mark.parametrize(
        ("kind", "milliseconds"),
        [(FaultKind.HANG, 0), (FaultKind.SLOW, 600), (FaultKind.SLOW_BODY, 600)],
    )
    async def test_that_do_not_come_in_time_are_unknown(
        self, bench: Bench, kind: FaultKind, milliseconds: int
    ) -> None:
        bench.fail(kind, milliseconds=milliseconds)
        hasty = replace(bench.provider, timeout_seconds=0.2)

        with pytest.raises(ProviderFailure) as lost:
            await hasty.submit(REQUEST)

        assert lost.value.code is FailureCode.TIMEOUT_AMBIGUOUS
        assert len(bench.plane.asked) == 1

    @pytest.mark.parametrize("kind", [FaultKind.SLOW, FaultKind.SLOW_BODY])
    async def test_are_not_those_that_are_only_slow(self, bench: Bench, kind: FaultKind) -> None:
        bench.fail(kind, milliseconds=100)

        assert len((await bench.provider.submit(REQUEST)).artifacts) == 1

    async def test_from_another_host_are_not_waited_for(self, bench: Bench) -> None:
        base = bench.provider.base.removesuffix("/v1")
        async with elsewhere(base) as other:
            bench.fail(FaultKind.STATUS, status=307, headers={"Location": other.url})
            with pytest.raises(ProviderFailure) as refused:
                await replace(bench.provider, outgoing=other.outgoing).submit(REQUEST)

        assert refused.value.code is FailureCode.PROVIDER_FAILED
        assert other.heard == []  # neither the photo nor the key

    async def test_without_a_connection_were_never_asked_for(self, bench: Bench) -> None:
        port = closed_port()
        async with OutgoingClient(allow=frozenset({f"127.0.0.1:{port}"})) as outgoing:
            base = f"http://127.0.0.1:{port}/v1"
            nobody = replace(bench.provider, outgoing=outgoing, base=base)

            with pytest.raises(ProviderFailure) as refused:
                await nobody.submit(REQUEST)

        assert refused.value.code is FailureCode.UNAVAILABLE

    async def test_from_where_nothing_may_be_sent_were_never_asked_for(self, bench: Bench) -> None:
        inside = replace(bench.provider, base="http://127.0.0.1:9/v1")

        with pytest.raises(ProviderFailure) as refused:
            await inside.submit(REQUEST)

        assert refused.value.code is FailureCode.PROVIDER_FAILED


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
