"""What apps ask as they start: one answer, kept while nothing changes, at a price that stays."""

import re
from typing import Any

import httpx
import pytest

from medici.kernel.db.database import Database
from tests.doors.studio.conftest import Visit
from tests.doors.studio.projects import write_jobs
from tests.doors.studio.statements import statements
from tests.doors.studio.visitor import Visitor
from tests.support.studio import Studio

CONFIG = "/v1/config/bootstrap"
SESSION = "/v1/session/bootstrap/me"


async def config(visitor: Visitor, tag: str | None = None) -> httpx.Response:
    return await visitor.get(CONFIG, headers={"If-None-Match": tag} if tag else None)


class TestConfig:
    async def test_shows_what_is_on_offer_to_anybody(self, visit: Visit) -> None:
        answer = await config(await visit(""))

        shown = answer.json()
        assert [plan["plan_id"] for plan in shown["active_plans"]] == ["free", "pro"]
        assert shown["active_plans"][1]["monthly_price_usd"] == 14.99
        assert [style["style_id"] for style in shown["styles"]][:2] == ["modern", "minimalistic"]
        assert shown["provider_defaults"] == {
            "default_provider": "painter",
            "fallback_chain": ["painter"],
            "version": 1,
        }
        assert shown["variables"]["max_jobs_in_flight_per_user"] == 10
        assert answer.headers["cache-control"] == "public, no-cache"
        assert re.fullmatch(r'"[0-9a-f]{32}"', answer.headers["etag"])

    async def test_hides_what_is_not(self, ada: Visitor) -> None:
        await ada.client.delete("/v1/admin/plans/pro")
        free = (await ada.get("/v1/admin/plans/free")).json()
        await ada.client.put("/v1/admin/plans/free", json={**free, "is_active": False})
        modern = (await ada.get("/v1/admin/styles/modern")).json()
        await ada.client.put("/v1/admin/styles/modern", json={**modern, "is_active": False})

        shown = (await config(ada)).json()

        assert shown["active_plans"] == []
        assert "modern" not in [style["style_id"] for style in shown["styles"]]

    async def test_shows_variables_as_they_count(self, ada: Visitor) -> None:
        await ada.client.put("/v1/admin/variables/banner", json={"value": "Hello"})
        await ada.client.delete("/v1/admin/variables/preview_before_final_required")

        variables = (await config(ada)).json()["variables"]

        assert variables["banner"] == "Hello"
        assert variables["preview_before_final_required"] is True

    async def test_keeps_the_operators_thresholds_to_the_operator(self, ada: Visitor) -> None:
        key = "analytics_alert_max_queued_jobs"
        await ada.client.put(f"/v1/admin/variables/{key}", json={"value": 7})

        assert key not in (await config(ada)).json()["variables"]
        assert (await ada.get(f"/v1/admin/variables/{key}")).json()["value"] == 7

    async def test_is_not_sent_again_while_nothing_changes(self, ada: Visitor) -> None:
        tag = (await config(ada)).headers["etag"]

        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = await config(ada, known)
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
        assert (await config(ada, '"other"')).status_code == 200

    @pytest.mark.parametrize(
        ("method", "path", "form"),
        [
            ("DELETE", "plans/pro", None),
            ("DELETE", "styles/rustic", None),
            ("PUT", "variables/banner", {"value": 1}),
            ("DELETE", "variables/max_jobs_in_flight_per_user", None),
        ],
    )
    async def test_is_sent_after_every_change(
        self, ada: Visitor, method: str, path: str, form: dict[str, Any] | None
    ) -> None:
        await ada.client.put("/v1/admin/variables/max_jobs_in_flight_per_user", json={"value": 9})
        tag = (await config(ada)).headers["etag"]

        await ada.client.request(method, f"/v1/admin/{path}", json=form)

        assert (await config(ada, tag)).status_code == 200

    async def test_is_sent_after_new_provider_settings(self, ada: Visitor, studio: Studio) -> None:
        tag = (await config(ada)).headers["etag"]

        await studio.publish("painter")

        changed = await config(ada, tag)
        assert (changed.status_code, changed.json()["provider_defaults"]["version"]) == (200, 2)

    async def test_asks_two_questions_of_the_database_when_it_is_known(
        self, ada: Visitor, database: Database
    ) -> None:
        tag = (await config(ada)).headers["etag"]

        with statements(database) as known:
            await config(ada, tag)
            await config(ada)

        assert len([each for each in known if each.startswith("SELECT")]) == 4


class TestSession:
    async def test_brings_everything_at_once(self, ada: Visitor) -> None:
        answer = await ada.get(SESSION)

        shown = answer.json()
        assert answer.headers["cache-control"] == "no-store"
        assert shown["me"] == (await ada.get("/v1/auth/me")).json()
        assert shown["profile"] == (await ada.get("/v1/profile/overview/me")).json()
        assert shown["board"] == {"user_id": "ada", "projects": [], "next_cursor": None}
        assert shown["experiments"] == {"user_id": "ada", "assignments": []}
        offer = (await config(ada)).json()
        assert shown["catalog"] == offer["active_plans"]
        for part in ("styles", "variables", "provider_defaults"):
            assert shown[part] == offer[part]
        assert set(shown) == {
            "me",
            "profile",
            "board",
            "experiments",
            "catalog",
            "styles",
            "variables",
            "provider_defaults",
        }

    async def test_gives_the_days_credits(self, ada: Visitor) -> None:
        assert (await ada.get(SESSION)).json()["profile"]["credits"]["balance"] == 3

    async def test_shows_as_many_projects_as_are_wanted(self, ada: Visitor, studio: Studio) -> None:
        await write_jobs(studio.database, [f"p{number}" for number in range(5)])

        board = (await ada.get(SESSION, params={"board_limit": 2})).json()["board"]

        assert [each["project_id"] for each in board["projects"]] == ["p4", "p3"]

    @pytest.mark.parametrize(
        "query",
        [
            {"board_limit": 0},
            {"board_limit": 101},
            {"experiment_limit": 0},
            {"experiment_limit": 201},
        ],
    )
    async def test_has_limits(self, ada: Visitor, query: dict[str, int]) -> None:
        assert (await ada.get(SESSION, params=query)).status_code == 422

    async def test_needs_a_user(self, visit: Visit) -> None:
        assert (await (await visit("")).get(SESSION)).status_code == 401

    async def test_asks_the_database_as_often_for_200_projects_as_for_one(
        self, ada: Visitor, database: Database
    ) -> None:
        await write_jobs(database, ["p"])
        await ada.get(SESSION)
        with statements(database) as for_one:
            await ada.get(SESSION)

        await write_jobs(database, [f"p{number}" for number in range(199)])
        with statements(database) as for_many:
            answer = await ada.get(SESSION, params={"board_limit": 100})

        assert len(answer.json()["board"]["projects"]) == 100
        assert len(for_many) == len(for_one)
