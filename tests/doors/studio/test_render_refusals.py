"""Orders that are refused, each with a reason."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from medici.adapters.providers.request import Operation
from tests.doors.studio.conftest import Visit
from tests.doors.studio.orders import FOREIGN, NOTHING, NOWHERE, blocked, set_variable, told, traces
from tests.doors.studio.visitor import Visitor
from tests.doors.support import BASE
from tests.support.painters import Painter
from tests.support.studio import Studio


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
