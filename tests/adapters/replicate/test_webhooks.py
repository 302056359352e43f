"""Which calls are the vendor's."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import pytest

from medici.adapters.providers.provider import Announcing, WebhookEvent, WebhookRefused
from medici.adapters.providers.replicate.webhooks import secret_bytes, signature
from tests.adapters.replicate.conftest import MODEL, Stage

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the one of the standard's own example
BODY = orjson.dumps({"id": "abc", "model": MODEL, "status": "succeeded"})
NEWS = WebhookEvent(ref={"request_id": "abc", "model": MODEL})


def signed(
    sent_at: datetime, *, body: bytes = BODY, secret: str = SECRET, webhook_id: str = "msg_1"
) -> dict[str, str]:
    timestamp = str(int(sent_at.timestamp()))
    key = secret_bytes(secret)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature(key, webhook_id=webhook_id, timestamp=timestamp, body=body),
    }


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """A provider whose secret stands in the settings."""
    return replace(stage, provider=replace(stage.provider, webhook_secret=SECRET))


async def refused(stage: Stage, headers: Mapping[str, str], body: bytes = BODY) -> WebhookRefused:
    with pytest.raises(WebhookRefused) as refusal:
        await stage.provider.verify_webhook(headers, body)
    return refusal.value


class TestSignature:
    def test_is_that_of_the_standards_example(self) -> None:
        told = signature(
            secret_bytes(SECRET),
            webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp="1614265330",
            body=b'{"test": 2432232314}',
        )

        assert told == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    @pytest.mark.parametrize("secret", ["", "whsec_", "MfKQ9r8G", "whsec_no base64!"])
    def test_needs_a_secret_that_is_one(self, secret: str) -> None:
        with pytest.raises(ValueError, match="webhook secret"):
            secret_bytes(secret)


class TestVerifyWebhook:
    async def test_tells_which_work_has_news(self, stage: Stage) -> None:
        assert isinstance(stage.provider, Announcing)
        assert await stage.provider.verify_webhook(signed(stage.clock.now), BODY) == NEWS

    @pytest.mark.parametrize("seconds", [-300, -299, 299, 300])
    async def test_bears_clocks_that_differ(self, stage: Stage, seconds: int) -> None:
        headers = signed(stage.clock.now + timedelta(seconds=seconds))

        assert await stage.provider.verify_webhook(headers, BODY) == NEWS

    @pytest.mark.parametrize("seconds", [-301, 301])
    async def test_refuses_what_is_old_or_early(self, stage: Stage, seconds: int) -> None:
        headers = signed(stage.clock.now + timedelta(seconds=seconds))

        assert "too old" in str(await refused(stage, headers))

    async def test_takes_one_of_several_signatures(self, stage: Stage) -> None:
        headers = signed(stage.clock.now)
        good = headers["webhook-signature"]
        headers["webhook-signature"] = f"v1,bm90IGl0 {good} v1a,b3RoZXI="

        assert await stage.provider.verify_webhook(headers, BODY) == NEWS

    @pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
    async def test_refuses_without_a_header(self, stage: Stage, missing: str) -> None:
        headers = signed(stage.clock.now)
        del headers[missing]

        await refused(stage, headers)

    @pytest.mark.parametrize(
        ("header", "value"),
        [
            ("webhook-id", "msg_2"),
            ("webhook-timestamp", "1795608001"),
            ("webhook-timestamp", "-1"),
            ("webhook-timestamp", "NaN"),
            ("webhook-timestamp", "١٧٩٥٦٠٨٠٠٠"),
            ("webhook-timestamp", "9" * 400),
            ("webhook-signature", "v1,"),
            ("webhook-signature", "v1,AAAA"),
            ("webhook-signature", "ünsigned"),
            ("webhook-signature", "  "),
        ],
    )
    async def test_refuses_a_forged_header(self, stage: Stage, header: str, value: str) -> None:
        headers = signed(stage.clock.now) | {header: value}

        await refused(stage, headers)

    async def test_refuses_another_version_of_the_signature(self, stage: Stage) -> None:
        headers = signed(stage.clock.now)
        headers["webhook-signature"] = headers["webhook-signature"].replace("v1,", "v2,")

        await refused(stage, headers)

    async def test_refuses_another_body(self, stage: Stage) -> None:
        await refused(stage, signed(stage.clock.now), BODY.replace(b"abc", b"abd"))

    async def test_refuses_another_secret(self, stage: Stage) -> None:
        await refused(stage, signed(stage.clock.now, secret="whsec_b3RoZXI="))

    @pytest.mark.parametrize("body", [b"", b"[]", b'{"id": "../x", "status": "failed"}'])
    async def test_refuses_what_is_no_prediction(self, stage: Stage, body: bytes) -> None:
        await refused(stage, signed(stage.clock.now, body=body), body)

    async def test_asks_nobody_for_a_secret_that_it_has(self, stage: Stage) -> None:
        await refused(stage, signed(stage.clock.now, secret="whsec_b3RoZXI="))

        assert stage.plane.asked == []
