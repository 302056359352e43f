"""One's own renders, in pages."""

import pytest

from medici.adapters.providers.failure import FailureCode
from tests.doors.studio.orders import FOREIGN
from tests.doors.studio.visitor import Visitor
from tests.support.painters import Painter, fails
from tests.support.studio import Studio


class TestList:
    async def test_shows_ones_own_newest_first(
        self, ada: Visitor, bob: Visitor, studio: Studio
    ) -> None:
        made = [(await ada.order(FOREIGN)).json()["id"] for _ in range(3)]
        await bob.order(FOREIGN)

        listed = (await ada.get("/v1/ai/render-jobs")).json()

        assert [job["id"] for job in listed["jobs"]] == made[::-1]
        assert listed["next_cursor"] is None

    async def test_shows_attempts_and_pictures(
        self, ada: Visitor, studio: Studio, painter: Painter
    ) -> None:
        painter.script.submit.append(fails(FailureCode.UNAVAILABLE))
        await ada.order()
        await studio.finish()

        (job,) = (await ada.get("/v1/ai/render-jobs")).json()["jobs"]

        assert [(one["status"], one["error_code"]) for one in job["provider_attempts"]] == [
            ("failed", "unavailable"),
            ("succeeded", None),
        ]
        assert job["provider_job_id"] == f"vendor-{painter.requests[1].reference}"
        assert (await ada.get(job["output_url"])).status_code == 200

    async def test_comes_in_pages(self, ada: Visitor, studio: Studio) -> None:
        await studio.customer(credits=10)
        made = [(await ada.order(FOREIGN)).json()["id"] for _ in range(5)]

        seen, cursor = [], None
        for _ in range(3):
            page = await ada.get(
                "/v1/ai/render-jobs", params={"limit": 2, **({"cursor": cursor} if cursor else {})}
            )
            seen.append([job["id"] for job in page.json()["jobs"]])
            cursor = page.json()["next_cursor"]

        assert seen == [made[:2:-1], made[2:0:-1], made[:1]]
        assert cursor is None

    async def test_can_be_narrowed(self, ada: Visitor, studio: Studio, painter: Painter) -> None:
        painter.script.submit.append(fails(FailureCode.INVALID_INPUT))
        failed = (await ada.order(project_id="office")).json()["id"]
        await studio.finish()
        queued = (await ada.order(FOREIGN)).json()["id"]

        async def found(**wanted: str) -> list[str]:
            jobs = (await ada.get("/v1/ai/render-jobs", params=wanted)).json()["jobs"]
            return [job["id"] for job in jobs]

        assert await found(status="failed") == [failed]
        assert await found(status="queued") == [queued]
        assert await found(status="canceled") == []
        assert await found(project_id="office") == [failed]
        assert await found(project_id="office", status="queued") == []

    @pytest.mark.parametrize(
        ("wanted", "status"),
        [
            ({"cursor": "nonsense"}, 400),
            ({"cursor": "WyJub25zZW5zZSJd"}, 400),  # well made, of no id
            ({"limit": "0"}, 422),
            ({"limit": "201"}, 422),
            ({"status": "lost"}, 422),
        ],
    )
    async def test_refuses_what_makes_no_sense(
        self, ada: Visitor, wanted: dict[str, str], status: int
    ) -> None:
        assert (await ada.get("/v1/ai/render-jobs", params=wanted)).status_code == status
