"""A provider calls: signed and about our work, or without any effect."""

from uuid import UUID

import httpx
import pytest

from tests.doors.studio.visitor import Visitor
from tests.support.painters import RUNNING, Painter
from tests.support.studio import Studio

SOME_ID = "01a20c6d-8b4b-763c-bcd8-b3c928001944"
SIGNED = {"x-painter": "painter"}


async def called(
    ada: Visitor,
    attempt_id: object,
    *,
    provider: str = "painter",
    request_id: str = "",
    signed: bool = True,
) -> httpx.Response:
    ref = {"id": str(attempt_id), "request_id": request_id or f"vendor-{attempt_id}"}
    return await ada.client.post(
        f"/v1/providers/{provider}/webhook/{attempt_id}",
        json=ref,
        headers=SIGNED if signed else {},
    )


@pytest.fixture
async def attempt_id(ada: Visitor, studio: Studio, painter: Painter) -> object:
    """An attempt that has been sent and whose next look is some seconds away."""
    painter.script.poll.extend([RUNNING] * 3)
    job = (await ada.order()).json()
    await studio.work()
    return (await studio.attempts(UUID(job["id"])))[-1].id


class TestProviderWebhook:
    async def test_has_the_provider_asked_at_once(
        self, ada: Visitor, studio: Studio, painter: Painter, attempt_id: object
    ) -> None:
        painter.script.poll.clear()

        answer = await called(ada, attempt_id)
        await studio.work()

        assert answer.status_code == 204
        assert painter.verbs == ["submit", "poll", "fetch"]

    async def test_refuses_what_is_not_signed(
        self, ada: Visitor, studio: Studio, painter: Painter, attempt_id: object
    ) -> None:
        answer = await called(ada, attempt_id, signed=False)
        await studio.work()

        assert answer.status_code == 401
        assert answer.json()["detail"] == "webhook_signature_invalid"
        assert painter.verbs == ["submit"]

    async def test_knows_only_attempts_at_that_provider(
        self, ada: Visitor, attempt_id: object
    ) -> None:
        unknown = await called(ada, SOME_ID)
        unable = await called(ada, attempt_id, provider="nobody")
        foreign = await called(ada, attempt_id, request_id="other-work")

        assert [one.status_code for one in (unknown, unable, foreign)] == [404, 404, 404]
        assert unknown.json()["detail"] == "attempt_not_found"
