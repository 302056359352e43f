"""A request with a key takes effect once, whatever happens on the way."""

import asyncio
from collections import Counter
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select

from medici.doors.http import idempotency_store
from medici.doors.http.models import IdempotencyKey
from medici.kernel.db.database import Database
from tests.doors.conftest import SignedIn
from tests.doors.http.trial import PATH, Trial, effects
from tests.doors.support import BASE, DoorResources, Hands, Parts, assemble


async def keys(database: Database) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(IdempotencyKey)) or 0


def keyed(key: str = "k-1", **headers: str) -> dict[str, str]:
    return {"Idempotency-Key": key, **headers}


class TestRepetition:
    async def test_gives_the_first_answer_again_without_a_second_effect(
        self, client: httpx.AsyncClient, database: Database, trial: Trial
    ) -> None:
        first = await client.post(PATH, json={}, headers=keyed())
        second = await client.post(PATH, json={}, headers=keyed())

        assert (first.status_code, second.status_code) == (201, 201)
        assert second.content == first.content == b'{"number":1}'
        assert second.headers["content-type"] == "application/json"
        assert "Idempotency-Replayed" not in first.headers
        assert second.headers["Idempotency-Replayed"] == "true"
        assert (await effects(database), trial.began) == (1, 1)

    async def test_without_a_key_is_another_request(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        for _ in range(2):
            await client.post(PATH, json={})

        assert (await effects(database), await keys(database)) == (2, 0)

    async def test_fifty_at_once_take_effect_once(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        answers = await asyncio.gather(
            *(client.post(PATH, json={}, headers=keyed()) for _ in range(50))
        )

        statuses = Counter(answer.status_code for answer in answers)
        codes = {answer.json()["detail"] for answer in answers if answer.status_code == 409}
        assert await effects(database) == 1
        assert statuses[201] >= 1
        assert statuses[201] + statuses[409] == 50
        assert codes <= {"idempotency_key_in_progress"}

    async def test_is_refused_while_the_first_is_running(
        self, client: httpx.AsyncClient, trial: Trial
    ) -> None:
        trial.gate.clear()
        first = asyncio.create_task(client.post(PATH, json={}, headers=keyed()))
        await trial.entered.wait()

        twin = await client.post(PATH, json={}, headers=keyed())
        trial.gate.set()

        assert (twin.status_code, twin.json()) == (409, {"detail": "idempotency_key_in_progress"})
        assert twin.headers["Retry-After"] == "1"
        assert (await first).status_code == 201
        assert (await client.post(PATH, json={}, headers=keyed())).status_code == 201

    # On SQLite the other process waits for the one writer and then finds the answer.
    @pytest.mark.parametrize("template", ["postgresql"], indirect=True)
    async def test_is_refused_while_another_process_runs_the_first(
        self,
        client: httpx.AsyncClient,
        resources: DoorResources,
        parts: Parts,
        trial: Trial,
    ) -> None:
        trial.gate.clear()
        first = asyncio.create_task(client.post(PATH, json={}, headers=keyed()))
        await trial.entered.wait()
        other = assemble(resources, parts)  # shares nothing with the first but the database

        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(other), base_url=BASE
        ) as neighbour:
            twin = await neighbour.post(PATH, json={}, headers=keyed())
            trial.gate.set()
            await first
            later = await neighbour.post(PATH, json={}, headers=keyed())

        assert (twin.status_code, later.status_code) == (409, 201)
        assert later.headers["Idempotency-Replayed"] == "true"
        assert trial.began == 1

    @pytest.mark.parametrize(
        ("path", "body"),
        [(PATH, {"note": "other"}), (PATH + "?page=2", {})],
        ids=["body", "query"],
    )
    async def test_with_another_request_is_refused(
        self, client: httpx.AsyncClient, database: Database, path: str, body: dict[str, str]
    ) -> None:
        await client.post(PATH, json={}, headers=keyed())

        other = await client.post(path, json=body, headers=keyed())

        assert (other.status_code, other.json()) == (422, {"detail": "idempotency_key_reused"})
        assert await effects(database) == 1

    async def test_of_another_user_is_another_key(
        self, client: httpx.AsyncClient, database: Database, signed_in: SignedIn
    ) -> None:
        for user in ("ada", "bob"):
            answer = await client.post(PATH, json={}, headers=keyed(**await signed_in(user)))
            assert "Idempotency-Replayed" not in answer.headers

        assert await effects(database) == 2

    async def test_of_the_same_user_with_a_new_token_is_the_same_key(
        self, client: httpx.AsyncClient, database: Database, signed_in: SignedIn
    ) -> None:
        for _ in range(2):
            answer = await client.post(PATH, json={}, headers=keyed(**await signed_in("ada")))

        assert answer.headers["Idempotency-Replayed"] == "true"
        assert await effects(database) == 1

    async def test_with_a_token_that_was_signed_out_is_not_answered(
        self, client: httpx.AsyncClient, signed_in: SignedIn
    ) -> None:
        ada = await signed_in("ada")
        await client.post(PATH, json={}, headers=keyed(**ada))
        await client.post("/v1/auth/logout", headers=ada)

        answer = await client.post(PATH, json={}, headers=keyed(**ada))

        assert answer.status_code == 401

    async def test_after_two_days_is_a_new_request(
        self, client: httpx.AsyncClient, database: Database, clock: Hands
    ) -> None:
        await client.post(PATH, json={}, headers=keyed())
        clock.advance(timedelta(hours=47))
        young = await client.post(PATH, json={}, headers=keyed())
        clock.advance(timedelta(hours=1))
        old = await client.post(PATH, json={}, headers=keyed())

        assert (young.json(), old.json()) == ({"number": 1}, {"number": 2})
        assert await keys(database) == 1


class TestRefusal:
    async def test_is_an_answer_and_leaves_no_effect(
        self, client: httpx.AsyncClient, database: Database, trial: Trial
    ) -> None:
        first = await client.post(PATH, json={"end": "refused"}, headers=keyed())
        second = await client.post(PATH, json={"end": "refused"}, headers=keyed())

        assert first.status_code == second.status_code == 409
        assert first.json() == {"detail": "too_late", "since": "yesterday"}
        assert second.content == first.content
        assert second.headers["Idempotency-Replayed"] == "true"
        assert (trial.began, await effects(database), trial.rung) == (1, 0, [])

    @pytest.mark.parametrize(
        ("end", "status"),
        [("forbidden", 403), ("too_often", 429), ("away", 503), ("fault", 500)],
    )
    async def test_at_the_gate_and_faults_are_no_answers(
        self, client: httpx.AsyncClient, database: Database, trial: Trial, end: str, status: int
    ) -> None:
        for _ in range(2):
            answer = await client.post(PATH, json={"end": end}, headers=keyed())
            assert answer.status_code == status
            assert "Idempotency-Replayed" not in answer.headers

        assert (trial.began, await effects(database), await keys(database)) == (2, 0, 0)

    async def test_of_an_invalid_body_is_no_answer(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        invalid = await client.post(PATH, json={"end": "odd"}, headers=keyed())
        valid = await client.post(PATH, json={}, headers=keyed())

        assert (invalid.status_code, valid.status_code) == (422, 201)


class TestCommit:
    async def test_lost_at_the_last_moment_leaves_neither_effect_nor_answer(
        self, client: httpx.AsyncClient, database: Database, trial: Trial
    ) -> None:
        lost = await client.post(PATH, json={"end": "lost_commit"}, headers=keyed())

        assert lost.status_code == 503
        assert (await effects(database), await keys(database), trial.rung) == (0, 0, [])

    async def test_rings_after_an_effect(self, client: httpx.AsyncClient, trial: Trial) -> None:
        await client.post(PATH, json={}, headers=keyed())

        assert trial.rung == ["effect 1"]


class TestKey:
    @pytest.mark.parametrize("key", ["", "k" * 256, "k\x7f", "ké"])
    async def test_must_be_printable_and_of_bounded_length(
        self, client: httpx.AsyncClient, trial: Trial, key: str
    ) -> None:
        answer = await client.post(
            PATH, json={}, headers={b"Idempotency-Key": key.encode("latin-1")}
        )

        assert (answer.status_code, answer.json()) == (400, {"detail": "idempotency_key_invalid"})
        assert trial.began == 0

    async def test_of_a_streamed_answer_is_not_kept(
        self, client: httpx.AsyncClient, database: Database, signed_in: SignedIn
    ) -> None:
        answer = await client.post("/v1/trial/stream", headers=keyed(**await signed_in()))

        assert (answer.text, await keys(database)) == ("ab", 0)


class TestSweep:
    async def test_deletes_what_has_expired_in_batches(
        self, client: httpx.AsyncClient, database: Database, clock: Hands
    ) -> None:
        for number in range(3):
            await client.post(PATH, json={}, headers=keyed(f"old-{number}"))
        clock.advance(timedelta(hours=48))
        await client.post(PATH, json={}, headers=keyed("young"))

        swept = []
        for _ in range(3):
            async with database.transaction() as session:
                swept.append(await idempotency_store.sweep(session, now=clock(), limit=2))

        assert swept == [2, 1, 0]
        assert await keys(database) == 1
