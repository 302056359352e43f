"""A job's progress as a stream that ends with the job."""

import asyncio
import json
from typing import Any

import httpx

from medici.adapters.providers.failure import FailureCode
from tests.doors.studio.visitor import Visitor
from tests.support.painters import Painter, fails
from tests.support.studio import Studio


def events_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """Read the data of every event; comments are passed over."""
    blocks = [block for block in answer.text.split("\n\n") if block.startswith("event: status\n")]
    return [json.loads(block.partition("data: ")[2]) for block in blocks]


class TestRenderEvents:
    async def test_follow_a_job_to_its_end(self, ada: Visitor, studio: Studio) -> None:
        job_id = (await ada.order()).json()["id"]

        following = asyncio.create_task(ada.get(f"/v1/ai/render-jobs/{job_id}/events"))
        await asyncio.sleep(0)  # lets the stream begin before the work
        await studio.finish()
        answer = await following

        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        events = events_of(answer)
        told, asked = events[-1], await ada.status(job_id)
        assert told["status"] == "completed"
        # The address of the picture is signed anew each time.
        assert (told.pop("output_url") is None, told) == (asked.pop("output_url") is None, asked)

    async def test_of_an_ended_job_are_one(
        self, ada: Visitor, studio: Studio, painter: Painter
    ) -> None:
        painter.script.submit.append(fails(FailureCode.AUTH))
        job_id = (await ada.order()).json()["id"]
        await studio.finish()

        (event,) = events_of(await ada.get(f"/v1/ai/render-jobs/{job_id}/events"))

        assert (event["status"], event["error_code"]) == ("failed", "provider_dispatch_failed")

    async def test_end_when_the_process_stops(self, ada: Visitor) -> None:
        job_id = (await ada.order()).json()["id"]
        ada.app.state.stopping = True

        events = events_of(await ada.get(f"/v1/ai/render-jobs/{job_id}/events"))

        assert [event["status"] for event in events] == ["queued"]
