"""Renders as clients see them after the order: followed, canceled; and who makes them."""

import pytest

from tests.doors.studio.conftest import Visit
from tests.doors.studio.orders import NOWHERE, told
from tests.doors.studio.visitor import Visitor
from tests.support.painters import Painter
from tests.support.studio import Studio


class TestStatus:
    @pytest.mark.parametrize("path", ["", "/events"])
    async def test_of_a_job_that_is_not_ones_own_is_told_to_nobody(
        self, ada: Visitor, bob: Visitor, path: str
    ) -> None:
        job_id = (await ada.order()).json()["id"]

        answers = [
            await bob.get(f"/v1/ai/render-jobs/{name}{path}")
            for name in (job_id, NOWHERE, "nonsense", "1")
        ]

        assert {(one.status_code, one.content) for one in answers} == {
            (404, b'{"detail": "job_not_found"}')
        }

    async def test_is_found_under_any_spelling_of_the_id(self, ada: Visitor) -> None:
        job_id = (await ada.order()).json()["id"]

        assert (await ada.status(job_id.replace("-", "").upper()))["id"] == job_id


class TestCancel:
    async def test_refunds_at_once(self, ada: Visitor, studio: Studio, painter: Painter) -> None:
        job_id = (await ada.order()).json()["id"]

        canceled = await ada.post(f"/v1/ai/render-jobs/{job_id}/cancel")
        again = await ada.post(f"/v1/ai/render-jobs/{job_id}/cancel")

        assert canceled.json() == {"id": job_id, "canceled": True, "status": "canceled"}
        assert again.json() == {"id": job_id, "canceled": False, "status": "canceled"}
        assert await studio.purse() == (3, 0)
        await studio.finish()
        assert (painter.asked, await studio.purse()) == ([], (3, 0))
        assert [name for name, _ in await studio.facts()] == [
            "render_dispatched",
            "render_canceled",
        ]

    async def test_of_a_finished_job_changes_nothing(self, ada: Visitor, studio: Studio) -> None:
        job_id = (await ada.order()).json()["id"]
        await studio.finish()

        canceled = await ada.post(f"/v1/ai/render-jobs/{job_id}/cancel")

        assert canceled.json() == {"id": job_id, "canceled": False, "status": "completed"}
        assert await studio.purse() == (2, 0)

    async def test_of_somebody_elses_job_is_refused(
        self, ada: Visitor, bob: Visitor, studio: Studio
    ) -> None:
        job_id = (await ada.order()).json()["id"]

        for name in (job_id, NOWHERE, "nonsense"):
            refused = await bob.post(f"/v1/ai/render-jobs/{name}/cancel")
            assert told(refused) == (404, "job_not_found")
        assert await studio.purse() == (2, 1)


class TestProviders:
    async def test_are_told_to_anybody(self, visit: Visit, studio: Studio) -> None:
        answer = await (await visit("")).get("/v1/ai/providers")

        assert (answer.status_code, answer.json()) == (
            200,
            {
                "registered": ["painter"],
                "enabled": ["painter"],
                "default": "painter",
                "fallback_chain": ["painter"],
            },
        )
