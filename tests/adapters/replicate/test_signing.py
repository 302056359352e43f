"""The secret of the webhooks, where the settings hold none."""

import asyncio
from datetime import timedelta

import pytest

from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.provider import WebhookRefused
from medici.fakes.faults import FaultKind
from tests.adapters.replicate.conftest import Stage
from tests.adapters.replicate.test_webhooks import BODY, NEWS, signed

REPLACED = "whsec_cmVwbGFjZWQ="


class TestSecret:
    async def test_is_asked_for_once(self, stage: Stage) -> None:
        stage.fail(FaultKind.STATUS, "secret", status=200, body={"key": REPLACED})
        headers = signed(stage.clock.now, secret=REPLACED)

        seen = [await stage.provider.verify_webhook(headers, BODY) for _ in range(3)]

        assert (seen, len(stage.asked("secret"))) == ([NEWS] * 3, 1)

    async def test_is_asked_for_again_when_it_was_replaced(self, stage: Stage) -> None:
        headers = signed(stage.clock.now, secret=REPLACED)
        with pytest.raises(WebhookRefused):
            await stage.provider.verify_webhook(headers, BODY)
        stage.fail(FaultKind.STATUS, "secret", status=200, body={"key": REPLACED})
        stage.clock.now += timedelta(minutes=1)

        assert await stage.provider.verify_webhook(headers, BODY) == NEWS

    async def test_is_replaced_for_all_calls_that_come_at_once(self, stage: Stage) -> None:
        with pytest.raises(WebhookRefused):
            await stage.provider.verify_webhook(signed(stage.clock.now, secret=REPLACED), BODY)
        stage.fail(FaultKind.STATUS, "secret", status=200, body={"key": REPLACED})
        stage.clock.now += timedelta(minutes=1)
        headers = signed(stage.clock.now, secret=REPLACED)

        calls = (stage.provider.verify_webhook(headers, BODY) for _ in range(5))

        assert await asyncio.gather(*calls) == [NEWS] * 5
        assert len(stage.asked("secret")) == 2

    async def test_is_not_asked_for_with_every_forged_call(self, stage: Stage) -> None:
        headers = signed(stage.clock.now, secret=REPLACED)
        for _ in range(5):
            with pytest.raises(WebhookRefused):
                await stage.provider.verify_webhook(headers, BODY)

        assert len(stage.asked("secret")) == 1

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"key": "no secret"}, FailureCode.AUTH),
            ({"other": 1}, FailureCode.UNAVAILABLE),
        ],
    )
    async def test_may_be_unreadable(self, stage: Stage, body: object, code: FailureCode) -> None:
        stage.fail(FaultKind.STATUS, "secret", status=200, body=body)

        with pytest.raises(ProviderFailure) as failure:
            await stage.provider.verify_webhook(signed(stage.clock.now), BODY)

        assert failure.value.code is code

    async def test_may_be_out_of_reach(self, stage: Stage) -> None:
        stage.fail(FaultKind.STATUS, "secret", status=503)

        with pytest.raises(ProviderFailure) as failure:
            await stage.provider.verify_webhook(signed(stage.clock.now), BODY)

        assert failure.value.code is FailureCode.UNAVAILABLE
