"""Calls that fal signed, and calls that somebody would like us to believe."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from medici.adapters.providers.provider import WebhookRefused
from tests.adapters.fal.conftest import Stage


async def call(stage: Stage, *, age_seconds: int = 0) -> tuple[dict[str, str], bytes]:
    """Return a call that fal would make, as our door hands it on."""
    ref = await stage.ref()
    body = stage.courier.message(stage.plane.work[ref["request_id"]], stage.base)
    at = stage.clock() - timedelta(seconds=age_seconds)
    headers = stage.courier.headers(ref["request_id"], body, at=at)
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

    async def test_asks_for_new_keys_at_most_once_a_minute(self, stage: Stage) -> None:
        headers, body = await call(stage)
        forged = changed(headers, "signature", "00" * 64)

        for _ in range(5):
            with pytest.raises(WebhookRefused):
                await stage.provider.verify_webhook(forged, body)
        before = stage.provider._keys._asked_at
        stage.clock.now += timedelta(seconds=61)
        with pytest.raises(WebhookRefused):
            await stage.provider.verify_webhook(forged, body)

        assert before == stage.clock.now - timedelta(seconds=61)
        assert stage.provider._keys._asked_at == stage.clock.now
