"""Calls that fal signed, and calls that somebody would like us to believe."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from medici.adapters.providers.failure import ProviderFailure
from medici.adapters.providers.provider import WebhookRefused
from medici.fakes.fal.signing import KeyAge
from medici.fakes.faults import FaultKind
from tests.adapters.fal.conftest import Stage


async def call(
    stage: Stage, *, age_seconds: int = 0, key: KeyAge = KeyAge.CURRENT
) -> tuple[dict[str, str], bytes]:
    """Return a call that fal would make, as our door hands it on."""
    ref = await stage.ref()
    body = stage.courier.message(stage.plane.work[ref["request_id"]], stage.base)
    at = stage.clock() - timedelta(seconds=age_seconds)
    headers = stage.courier.keys.headers(ref["request_id"], body, at=at, key=key)
    return {name.lower(): value for name, value in headers.items()}, body


def changed(headers: Mapping[str, str], name: str, value: str) -> dict[str, str]:
    return {**headers, f"x-fal-webhook-{name}": value}


class TestVerify:
    async def test_tells_which_work_it_is_about(self, stage: Stage) -> None:
        headers, body = await call(stage)

        event = await stage.provider.verify_webhook(headers, body)

        assert event.ref == {"request_id": next(iter(stage.plane.work))}

    @pytest.mark.parametrize("age", [299, -299])
    async def test_allows_for_clocks_that_differ(self, stage: Stage, age: int) -> None:
        event = await stage.provider.verify_webhook(*await call(stage, age_seconds=age))

        assert event.ref["request_id"] in stage.plane.work

    @pytest.mark.parametrize("age", [301, -301])
    async def test_refuses_what_is_not_of_now(self, stage: Stage, age: int) -> None:
        headers, body = await call(stage, age_seconds=age)

        with pytest.raises(WebhookRefused):
            await stage.provider.verify_webhook(headers, body)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("signature", ""),
            ("signature", "zz"),
            ("signature", "00" * 64),
            ("request-id", "another"),
            ("request-id", ""),
            ("user-id", "another"),
            ("timestamp", ""),
            ("timestamp", "now"),
            ("timestamp", "-1"),
            ("timestamp", "9" * 40),
        ],
    )
    async def test_refuses_changed_headers(self, stage: Stage, name: str, value: str) -> None:
        headers, body = await call(stage)

        with pytest.raises(WebhookRefused):
            await stage.provider.verify_webhook(changed(headers, name, value), body)

    async def test_refuses_each_changed_byte_of_the_body(self, stage: Stage) -> None:
        headers, body = await call(stage)

        for place in range(len(body)):
            altered = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
            with pytest.raises(WebhookRefused):
                await stage.provider.verify_webhook(headers, altered)


class TestKeys:
    """Keys are asked for once, remembered for a day, and replaced without a lost call."""

    async def test_are_asked_for_once(self, stage: Stage) -> None:
        headers, body = await call(stage)

        await asyncio.gather(*(stage.provider.verify_webhook(headers, body) for _ in range(5)))

        assert len(stage.asked("keys")) == 1

    async def test_include_the_old_one_as_long_as_it_is_published(self, stage: Stage) -> None:
        headers, body = await call(stage, key=KeyAge.OLD)

        event = await stage.provider.verify_webhook(headers, body)

        assert event.ref["request_id"] in stage.plane.work

    async def test_that_are_published_no_more_are_refused(self, stage: Stage) -> None:
        with pytest.raises(WebhookRefused):
            await stage.provider.verify_webhook(*await call(stage, key=KeyAge.WITHDRAWN))

    async def test_that_are_new_are_found_by_the_first_calls_that_they_sign(
        self, stage: Stage
    ) -> None:
        await stage.provider.verify_webhook(*await call(stage))
        stage.courier.keys.rotate()
        stage.clock.now += timedelta(minutes=1)
        headers, body = await call(stage)

        calls = (stage.provider.verify_webhook(headers, body) for _ in range(5))
        events = await asyncio.gather(*calls)

        assert len({event.ref["request_id"] for event in events}) == 1
        assert len(stage.asked("keys")) == 2

    async def test_outlive_a_rotation_for_calls_on_their_way(self, stage: Stage) -> None:
        on_its_way = await call(stage)
        stage.courier.keys.rotate()

        event = await stage.provider.verify_webhook(*on_its_way)

        assert event.ref["request_id"] in stage.plane.work

    async def test_are_asked_for_at_most_once_a_minute_by_forged_calls(self, stage: Stage) -> None:
        headers, body = await call(stage)
        forged = changed(headers, "signature", "00" * 64)

        for _ in range(5):
            with pytest.raises(WebhookRefused):
                await stage.provider.verify_webhook(forged, body)
        in_the_first_minute = len(stage.asked("keys"))
        stage.clock.now += timedelta(seconds=60)
        with pytest.raises(WebhookRefused):
            await stage.provider.verify_webhook(forged, body)

        assert (in_the_first_minute, len(stage.asked("keys"))) == (1, 2)

    @pytest.mark.parametrize(("age", "asked"), [(timedelta(hours=24), 1), (timedelta(days=2), 2)])
    async def test_are_remembered_for_a_day(self, stage: Stage, age: timedelta, asked: int) -> None:
        await stage.provider.verify_webhook(*await call(stage))
        stage.clock.now += age

        await stage.provider.verify_webhook(*await call(stage))

        assert len(stage.asked("keys")) == asked

    async def test_are_forgotten_after_a_day_if_they_were_withdrawn(self, stage: Stage) -> None:
        await stage.provider.verify_webhook(*await call(stage))
        for _ in range(2):
            stage.courier.keys.rotate()
        believed = await call(stage, key=KeyAge.WITHDRAWN)
        await stage.provider.verify_webhook(*believed)
        stage.clock.now += timedelta(hours=24, seconds=1)

        with pytest.raises(WebhookRefused):
            await stage.provider.verify_webhook(*await call(stage, key=KeyAge.WITHDRAWN))

    @pytest.mark.parametrize(
        ("kind", "more"),
        [
            (FaultKind.STATUS, {"status": 503}),
            (FaultKind.STATUS, {"status": 200, "body": {"keys": "none"}}),
            (FaultKind.MALFORMED_JSON, {}),
            (FaultKind.RESET_AFTER_BODY, {}),
            (FaultKind.HANG, {}),
        ],
    )
    async def test_that_cannot_be_had_leave_a_call_unjudged(
        self, stage: Stage, kind: FaultKind, more: dict[str, Any]
    ) -> None:
        stage.fail(kind, "keys", **more)
        provider = replace(stage.provider, read_seconds=0.2)
        headers, body = await call(stage)

        with pytest.raises(ProviderFailure):
            await provider.verify_webhook(headers, body)

    async def test_that_could_not_be_had_are_not_replaced_by_stale_ones(self, stage: Stage) -> None:
        await stage.provider.verify_webhook(*await call(stage))
        stage.clock.now += timedelta(days=2)
        stage.fail(FaultKind.STATUS, "keys", status=503)

        with pytest.raises(ProviderFailure):
            await stage.provider.verify_webhook(*await call(stage))
        with pytest.raises(WebhookRefused):
            await stage.provider.verify_webhook(*await call(stage))
