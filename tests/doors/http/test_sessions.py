"""The request's transaction: committed before the answer leaves, or not at all."""

import httpx
import pytest
from fastapi import APIRouter
from sqlalchemy import text

from medici.doors.http.sessions import ReadSession
from medici.kernel.db.database import Database
from tests.doors.http.trial import PATH, Trial, effects
from tests.doors.support import BASE, DoorResources, Parts, assemble


class TestDbSession:
    @pytest.mark.parametrize(
        ("end", "status"), [("refused", 409), ("fault", 500), ("lost_commit", 503)]
    )
    async def test_leaves_nothing_of_what_it_does_not_answer_for(
        self, client: httpx.AsyncClient, database: Database, trial: Trial, end: str, status: int
    ) -> None:
        answer = await client.post(PATH, json={"end": end})

        assert (answer.status_code, await effects(database), trial.rung) == (status, 0, [])

    async def test_has_committed_when_the_answer_arrives(
        self, client: httpx.AsyncClient, database: Database, trial: Trial
    ) -> None:
        answer = await client.post(PATH, json={})

        assert (answer.status_code, await effects(database)) == (201, 1)
        assert trial.rung == ["effect 1"]

    @pytest.mark.parametrize("template", ["postgresql"], indirect=True)
    async def test_refuses_text_that_no_column_can_hold(
        self, resources: DoorResources, parts: Parts
    ) -> None:
        router = APIRouter()

        @router.get("/v1/trial/nul")
        async def ask(session: ReadSession) -> None:
            await session.execute(text("SELECT CAST(:word AS text)"), {"word": "a\x00b"})

        parts.routers.append(router)
        transport = httpx.ASGITransport(assemble(resources, parts))
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            answer = await client.get("/v1/trial/nul")

        assert (answer.status_code, answer.json()) == (400, {"detail": "unreadable_text"})
