"""Orders that are taken."""

from sqlalchemy import select

from medici.adapters.providers.failure import FailureCode
from medici.adapters.providers.request import Operation
from medici.domain.pictures.models import Picture
from medici.domain.rendering.models import RenderJob
from tests.doors.studio.orders import FOREIGN, set_variable
from tests.doors.studio.visitor import Visitor
from tests.support.painters import Painter, fails
from tests.support.studio import Studio


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
            kept = await session.scalars(select(Picture.expires_at))
        assert list(kept) == [None, None]  # neither the photo nor the mask ends with the day

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
