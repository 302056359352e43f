"""Boards show what a user made, project by project, at a price that stays."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from medici.kernel.db.database import Database
from tests.doors.studio.conftest import Visit
from tests.doors.studio.projects import write_jobs
from tests.doors.studio.statements import statements
from tests.doors.studio.visitor import Visitor
from tests.doors.support import NOW, Hands
from tests.support.studio import Studio

TOKEN = {"X-Admin-Token": "right"}


async def projects(visitor: Visitor, path: str = "me", **query: Any) -> list[dict[str, Any]]:
    answer = await visitor.get(f"/v1/projects/board/{path}", params=query)
    assert answer.status_code == 200, answer.text
    shown: list[dict[str, Any]] = answer.json()["projects"]
    return shown


class TestBoard:
    async def test_of_a_newcomer_is_empty(self, ada: Visitor) -> None:
        answer = await ada.get("/v1/projects/board/me")

        assert answer.json() == {"user_id": "ada", "projects": [], "next_cursor": None}

    async def test_shows_a_picture_that_can_be_fetched(self, ada: Visitor, studio: Studio) -> None:
        ordered = (await ada.order()).json()
        await studio.finish()

        (project,) = await projects(ada)

        job = await ada.status(ordered["id"])
        assert project.pop("cover_image_url") == project["last_output_url"]
        picture = await ada.get(project.pop("last_output_url"))
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
        assert project == {
            "project_id": "home",
            "generation_count": 1,
            "last_job_id": ordered["id"],
            "last_style_id": "modern",
            "last_status": "completed",
            "last_updated_at": job["updated_at"],
        }

    async def test_shows_the_photo_until_there_is_a_picture(self, ada: Visitor) -> None:
        ordered = (await ada.order()).json()

        (project,) = await projects(ada)

        assert (await ada.get(project["cover_image_url"])).headers["content-type"] == "image/jpeg"
        assert project["last_output_url"] is None
        assert (project["last_job_id"], project["last_status"]) == (ordered["id"], "queued")

    async def test_shows_the_last_picture_while_the_next_one_is_made(
        self, ada: Visitor, studio: Studio
    ) -> None:
        await ada.order()
        await studio.finish()
        (before,) = await projects(ada)
        await ada.order()

        (project,) = await projects(ada)

        assert project["generation_count"] == 2
        assert (project["last_status"], project["last_output_url"]) == ("queued", None)
        assert project["cover_image_url"].split("?")[0] == before["cover_image_url"].split("?")[0]

    async def test_has_the_most_recent_project_first(self, ada: Visitor, studio: Studio) -> None:
        jobs = await write_jobs(studio.database, ["a", "b", "c", "a", "b", "a"])

        shown = await projects(ada)

        told = [(each["project_id"], each["generation_count"]) for each in shown]
        assert told == [("a", 3), ("b", 2), ("c", 1)]
        assert [each["last_job_id"] for each in shown] == [str(jobs[5]), str(jobs[4]), str(jobs[2])]
        assert shown[0]["last_updated_at"] == "2026-11-24T12:00:05Z"
        assert shown[0]["cover_image_url"] == "https://example.com/room.jpg"

    async def test_comes_in_pages_that_miss_nothing(self, ada: Visitor, studio: Studio) -> None:
        await write_jobs(studio.database, [f"p{number}" for number in range(7)] * 2)
        seen: Counter[str] = Counter()
        cursor, pages = None, 0
        while cursor is not None or not pages:
            query = {"limit": 3, **({"cursor": cursor} if cursor else {})}
            page = (await ada.get("/v1/projects/board/me", params=query)).json()
            seen.update(each["project_id"] for each in page["projects"])
            cursor, pages = page["next_cursor"], pages + 1

        assert (pages, seen) == (3, Counter({f"p{number}": 1 for number in range(7)}))

    async def test_shows_what_is_ones_own(self, ada: Visitor, studio: Studio) -> None:
        await write_jobs(studio.database, ["hers"])
        await write_jobs(studio.database, ["hers", "his"], user_id="bob")

        assert [each["project_id"] for each in await projects(ada)] == ["hers"]
        assert (await projects(ada, "ada"))[0]["generation_count"] == 1

    async def test_of_somebody_else_is_the_operators_to_see(
        self, ada: Visitor, visit: Visit, studio: Studio
    ) -> None:
        await write_jobs(studio.database, ["his"], user_id="bob")
        operator = await visit("", admin_api_token=SecretStr("right"))

        refused = await ada.get("/v1/projects/board/bob")
        seen = await operator.get("/v1/projects/board/bob", headers=TOKEN)

        assert (refused.status_code, refused.json()["detail"]) == (403, "forbidden_user_scope")
        assert [each["project_id"] for each in seen.json()["projects"]] == ["his"]

    @pytest.mark.parametrize(
        ("query", "status"),
        [({"limit": 0}, 422), ({"limit": 201}, 422), ({"cursor": "nonsense"}, 400)],
    )
    async def test_refuses_pages_that_there_are_not(
        self, ada: Visitor, query: dict[str, Any], status: int
    ) -> None:
        answer = await ada.get("/v1/projects/board/me", params=query)

        assert answer.status_code == status

    async def test_asks_the_database_as_often_for_200_projects_as_for_one(
        self, ada: Visitor, database: Database, clock: Hands
    ) -> None:
        await write_jobs(database, ["p"])
        with statements(database) as for_one:
            assert len(await projects(ada)) == 1

        await write_jobs(database, [f"p{number}" for number in range(199)] * 3, now=NOW)
        clock.advance(timedelta(seconds=1))
        with statements(database) as for_many:
            assert len(await projects(ada, limit=200)) == 200

        assert len(for_many) == len(for_one)
