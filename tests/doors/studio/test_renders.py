"""Renders as clients see them: ordered, refused with a reason, followed, listed, canceled."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from medici.adapters.providers.failure import FailureCode
from medici.adapters.providers.request import Operation
from medici.domain.events.models import Event
from medici.domain.ledger.models import Hold
from medici.domain.plans.models import Variable
from medici.domain.rendering.models import RenderJob
from medici.jobs.models import Job
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.doors.support import BASE
from tests.support.painters import Painter, fails
from tests.support.studio import Studio

NOWHERE = "01a20c6d-8b4b-763c-bcd8-b3c928001944"
FOREIGN = "https://example.com/room.jpg"


def told(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()["detail"]


async def set_variable(studio: Studio, key: str, value: bool | int) -> None:
    async with studio.database.transaction() as session:
        await session.merge(
            Variable(key=key, value=value, description="", updated_at=studio.clock())
        )


async def traces(studio: Studio) -> Counter[str]:
    """Count what an order leaves behind."""
    async with studio.database.reading() as session:
        return Counter(
            {
                table.__tablename__: await session.scalar(select(func.count()).select_from(table))
                for table in (RenderJob, Hold, Job)
            }
        )


NOTHING = Counter({"render_jobs": 0, "credit_holds": 0, "jobs": 0})


async def blocked(studio: Studio) -> list[tuple[str, str | None, str | None]]:
    async with studio.database.reading() as session:
        rows = await session.execute(select(Event.name, Event.status, Event.tier))
        return [(row.name, row.status, row.tier) for row in rows]


class TestSubmit:
    async def test_answers_with_the_queued_job(self, ada: Visitor, painter: Painter) -> None:
        answer = await ada.order()

        assert answer.status_code == 200
        job = answer.json()
        job_id = job.pop("id")
        assert job == {
            "project_id": "home",
            "style_id": "modern",
            "operation": "restyle",
            "tier": "preview",
            "target_parts": ["full_room"],
            "provider": "painter",
            "provider_model": "painter-small",
            "provider_mode": None,
            "provider_attempts": [],
            "provider_job_id": None,
            "status": "queued",
            "output_url": None,
            "estimated_cost_usd": 0.0,
            "credits": 1,
            "progress": 0,
            "queue_position": None,
            "notes": [],
            "error_code": None,
            "error_message": None,
            "created_at": "2026-11-24T12:00:00Z",
            "updated_at": "2026-11-24T12:00:00Z",
        }
        assert painter.asked == []  # nobody outside is called while the customer waits
        assert (await ada.status(job_id))["status"] == "queued"

    async def test_becomes_a_picture_that_is_paid(self, ada: Visitor, studio: Studio) -> None:
        job_id = (await ada.order()).json()["id"]
        assert await studio.purse() == (2, 1)

        await studio.work()
        running = await ada.status(job_id)
        await studio.finish()
        ended = await ada.status(job_id)

        assert (running["status"], running["estimated_cost_usd"]) == ("in_progress", 0.02)
        assert (ended["status"], ended["progress"], ended["error_code"]) == ("completed", 100, None)
        assert ended["provider_mode"] == "live"
        picture = await ada.get(ended["output_url"])
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
        assert await studio.purse() == (2, 0)
        assert await studio.facts() == [
            ("render_dispatched", "queued"),
            ("render_status_updated", "in_progress"),
            ("render_status_updated", "completed"),
        ]

    async def test_takes_every_field_of_an_order(
        self, ada: Visitor, studio: Studio, painter: Painter
    ) -> None:
        mask = await ada.image_url()

        answer = await ada.order(
            user_id="ada",
            platform="web",
            operation="repaint",
            target_parts=["walls", "floor", "walls"],
            mask_url=mask,
            prompt_overrides={"mood": "calm", "strength": 3, "keep": True},
        )
        await studio.work()

        assert answer.json()["target_parts"] == ["walls", "floor"]
        (request,) = painter.requests
        assert request.mask is not None
        assert (request.wishes, request.operation) == (("calm",), Operation.REPAINT)
        assert request.prompt.endswith("repaint the room, only the walls and floor, calm")
        async with studio.database.reading() as session:
            assert await session.scalar(select(RenderJob.platform)) == "web"

    async def test_takes_a_public_address(self, ada: Visitor) -> None:
        assert (await ada.order(FOREIGN)).status_code == 200

    async def test_charges_the_same_order_again(self, ada: Visitor, studio: Studio) -> None:
        url = await ada.image_url()

        first, second = await ada.order(url), await ada.order(url)
        await studio.finish()

        assert first.json()["id"] != second.json()["id"]
        assert await studio.purse() == (1, 0)

    async def test_charges_a_repeated_request_once(self, ada: Visitor, studio: Studio) -> None:
        body = {
            "project_id": "home",
            "style_id": "modern",
            "operation": "restyle",
            "image_url": await ada.image_url(),
        }
        key = {"Idempotency-Key": "tap-1"}

        first = await ada.post("/v1/ai/render-jobs", json=body, headers=key)
        again = await ada.post("/v1/ai/render-jobs", json=body, headers=key)

        assert first.json() == again.json()
        assert again.headers["Idempotency-Replayed"] == "true"
        assert await studio.purse() == (2, 1)

    async def test_costs_nothing_where_credits_are_switched_off(
        self, ada: Visitor, studio: Studio
    ) -> None:
        await set_variable(studio, "daily_credit_limit_enabled", False)

        job = (await ada.order(tier="final")).json()
        await studio.finish()

        assert (job["credits"], (await ada.status(job["id"]))["status"]) == (0, "completed")
        assert await studio.purse() == (3, 0)

    async def test_gives_the_price_back_when_it_fails(
        self, ada: Visitor, studio: Studio, painter: Painter
    ) -> None:
        painter.script.submit.append(fails(FailureCode.AUTH))

        job_id = (await ada.order()).json()["id"]
        await studio.finish()

        ended = await ada.status(job_id)
        assert (ended["status"], ended["error_code"], ended["output_url"]) == (
            "failed",
            "provider_dispatch_failed",
            None,
        )
        assert ended["error_message"] == "No provider delivered a picture."
        assert await studio.purse() == (3, 0)


class TestRefusal:
    async def test_of_nobody(self, visit: Visit, studio: Studio) -> None:
        refused = await (await visit("")).order(FOREIGN)

        assert told(refused) == (401, "missing_or_invalid_token")
        assert await traces(studio) == NOTHING

    async def test_of_somebody_else(self, ada: Visitor, studio: Studio) -> None:
        refused = await ada.order(FOREIGN, user_id="bob")

        assert told(refused) == (403, "forbidden_user_scope")
        assert await traces(studio) == NOTHING

    @pytest.mark.parametrize("field", ["image_url", "mask_url"])
    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("ftp://example.com/room.jpg", "invalid_scheme"),
            ("http://example.com/room.jpg", "invalid_scheme"),
            ("room.jpg", "invalid_scheme"),
            ("https://", "missing_host"),
            ("https://localhost/room.jpg", "blocked_host"),
            ("https://10.0.0.1/room.jpg", "non_public_target"),
            ("https://169.254.169.254/latest", "non_public_target"),
            ("https://inside.example.com/room.jpg", "non_public_target"),
            ("https://nowhere.example.com/room.jpg", "dns_resolution_failed"),
        ],
    )
    async def test_of_an_address_that_leads_astray(
        self, ada: Visitor, studio: Studio, field: str, url: str, reason: str
    ) -> None:
        refused = await ada.order(**{"image_url": FOREIGN, field: url})

        assert told(refused) == (400, f"{field}_{reason}")
        assert await traces(studio) == NOTHING

    async def test_of_an_upload_that_is_none(self, ada: Visitor) -> None:
        refused = await ada.order(f"{BASE}/files/uploads/abc/{NOWHERE}.jpg")

        assert told(refused) == (400, "image_not_found")

    async def test_of_a_final_before_its_preview(self, ada: Visitor, studio: Studio) -> None:
        await studio.publish("painter", preview_first=True)

        refused = await ada.order(FOREIGN, tier="final")

        assert told(refused) == (409, "preview_required_before_final")
        assert await traces(studio) == NOTHING
        assert await blocked(studio) == [("render_blocked_preview_required", "blocked", "final")]
        assert await studio.purse() == (3, 0)

    async def test_of_a_final_ends_with_the_preview_of_that_project_and_style(
        self, ada: Visitor, studio: Studio
    ) -> None:
        await studio.publish("painter", preview_first=True)
        await ada.order()
        queued = await ada.order(FOREIGN, tier="final")
        await studio.finish()

        assert told(queued) == (409, "preview_required_before_final")
        other_style = await ada.order(FOREIGN, tier="final", style_id="rustic")
        other_project = await ada.order(FOREIGN, tier="final", project_id="office")
        assert (other_style.status_code, other_project.status_code) == (409, 409)
        assert (await ada.order(tier="final")).status_code == 200

    async def test_of_a_final_can_be_switched_off(self, ada: Visitor, studio: Studio) -> None:
        await studio.publish("painter", preview_first=True)
        await set_variable(studio, "preview_before_final_required", False)

        assert (await ada.order(tier="final")).status_code == 200

    async def test_of_what_is_not_covered(self, ada: Visitor, studio: Studio) -> None:
        await ada.order(tier="final")
        before = await traces(studio)

        refused = await ada.order(FOREIGN, tier="final")

        assert told(refused) == (402, "insufficient_credits")
        assert await traces(studio) == before
        assert (await blocked(studio))[-1] == (
            "render_blocked_insufficient_credits",
            "blocked",
            "final",
        )
        assert await studio.purse() == (1, 2)

    async def test_of_one_too_many_at_once(self, ada: Visitor, studio: Studio) -> None:
        await set_variable(studio, "max_jobs_in_flight_per_user", 2)
        await studio.customer(credits=50)

        answers = await asyncio.gather(*(ada.order(FOREIGN) for _ in range(8)))

        outcomes = Counter((one.status_code, one.json().get("detail")) for one in answers)
        assert outcomes == {(200, None): 2, (429, "too_many_jobs_in_flight"): 6}
        refused = next(one for one in answers if one.status_code == 429)
        assert refused.headers["Retry-After"] == "5"
        assert (await traces(studio))["render_jobs"] == 2

        await studio.finish()
        assert (await ada.order(FOREIGN)).status_code == 200

    @pytest.mark.parametrize(
        ("changes", "can"),
        [
            ({"operation": "remove"}, {"operations": frozenset({Operation.RESTYLE})}),
            ({"mask_url": FOREIGN}, {"accepts_mask": False}),
        ],
    )
    async def test_of_what_no_provider_can_do(
        self,
        ada: Visitor,
        studio: Studio,
        painter: Painter,
        changes: dict[str, str],
        can: dict[str, Any],
    ) -> None:
        for name, value in can.items():
            setattr(painter, name, value)

        refused = await ada.order(FOREIGN, **changes)

        assert told(refused) == (400, "no_provider_available")
        assert await traces(studio) == NOTHING

    @pytest.mark.parametrize(
        "changes",
        [
            {"operation": "demolish"},
            {"tier": "draft"},
            {"target_parts": ["roof"]},
            {"target_parts": []},
            {"project_id": ""},
            {"project_id": "x" * 129},
            {"style_id": None},
            {"image_url": "https://example.com/" + "x" * 4096},
            {"prompt_overrides": {"wish": "x" * 501}},
            {"prompt_overrides": {f"wish {n}": "x" for n in range(21)}},
            {"project_id": "\ud800"},
        ],
    )
    async def test_of_an_order_that_makes_no_sense(
        self, ada: Visitor, studio: Studio, changes: dict[str, Any]
    ) -> None:
        refused = await ada.order(**{"image_url": FOREIGN, **changes})

        assert refused.status_code == 422
        assert await traces(studio) == NOTHING


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
