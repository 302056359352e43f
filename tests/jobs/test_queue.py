"""Putting work in, by its key, and giving the dead another life."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from medici.jobs.claims import Claim
from medici.jobs.database_clock import database_time
from medici.jobs.errors import JobNotDead, JobNotFound, JobNotWaiting, JobSucceeded
from medici.jobs.inline import run_due
from medici.jobs.models import Job, State
from medici.jobs.outcomes import Again, Done, Outcome
from medici.jobs.queries import dead_letters
from medici.jobs.queue import cancel, cancel_waiting, enqueue, revive
from medici.jobs.reviving import Revived, revive_all
from medici.jobs.settlement import settle
from medici.kernel.db.database import Database
from medici.kernel.ids import new_id
from tests.jobs.acts import job, put, state, take
from tests.jobs.work import FAIL, NOTE, NOW, POLL, REGISTRY, SILENT, Bench, effects

MINUTE = timedelta(minutes=1)


async def count(database: Database) -> int:
    async with database.reading() as session:
        return (await session.execute(select(func.count()).select_from(Job))).scalar_one()


async def end(database: Database, claim: Claim, outcome: Outcome) -> None:
    async with database.transaction() as session:
        await settle(session, claim, outcome, now=NOW, draw=0.0)


class TestEnqueue:
    async def test_stores_a_job_that_is_due_by_the_databases_clock(
        self, database: Database
    ) -> None:
        job_id = await put(database, NOTE, word="x")

        stored = await job(database, job_id)
        async with database.reading() as session:
            late = await database_time(session) - stored.due_at
        assert (stored.kind, stored.queue, stored.args) == ("tests.note", "default", {"word": "x"})
        assert (stored.state, stored.attempts, stored.fence) == (State.READY, 0, 0)
        assert (stored.run_at, stored.created_at) == (NOW, NOW)
        assert timedelta(0) <= late < MINUTE

    async def test_moves_a_wait_onto_the_databases_clock(self, database: Database) -> None:
        job_id = await put(database, NOTE, run_at=NOW + 5 * MINUTE)

        stored = await job(database, job_id)
        async with database.reading() as session:
            wait = stored.due_at - await database_time(session)
        assert stored.run_at == NOW + 5 * MINUTE
        assert 4 * MINUTE < wait <= 5 * MINUTE

    async def test_leaves_nothing_when_its_transaction_fails(self, database: Database) -> None:
        with pytest.raises(ZeroDivisionError):
            async with database.transaction() as session:
                await enqueue(session, NOTE, now=NOW, args={})
                raise ZeroDivisionError

        assert await count(database) == 0

    async def test_writes_ids_and_moments_as_json_has_them(self, database: Database) -> None:
        user_id = new_id()

        job_id = await put(database, NOTE, user_id=user_id, at=NOW)

        assert (await job(database, job_id)).args == {
            "user_id": str(user_id),
            "at": "2026-03-01T12:00:00+00:00",
        }


class TestKey:
    async def test_stands_for_one_unfinished_job(self, database: Database) -> None:
        first = await put(database, NOTE, key="a", word="first")
        second = await put(database, NOTE, key="a", word="second")

        assert first == second
        assert await count(database) == 1
        assert (await job(database, first)).args == {"word": "first"}

    async def test_is_a_key_of_its_kind_alone(self, database: Database) -> None:
        assert await put(database, NOTE, key="a") != await put(database, SILENT, key="a")

    async def test_is_free_again_once_the_work_is_done(self, queue: Database, bench: Bench) -> None:
        first = await put(queue, NOTE, key="a")
        await run_due(queue, REGISTRY, bench, NOW)

        assert await put(queue, NOTE, key="a") != first

    async def test_brings_a_waiting_job_forward_and_never_back(self, database: Database) -> None:
        job_id = await put(database, NOTE, key="a", run_at=NOW + 5 * MINUTE)

        await put(database, NOTE, key="a", run_at=NOW + MINUTE)
        await put(database, NOTE, key="a", run_at=NOW + 9 * MINUTE)

        assert (await job(database, job_id)).run_at == NOW + MINUTE

    async def test_asked_for_while_it_runs_runs_once_more(
        self, queue: Database, bench: Bench
    ) -> None:
        job_id = await put(queue, SILENT, key="a")
        await take(queue, job_id)

        for _ in range(3):
            assert await put(queue, SILENT, key="a") == job_id

        assert (await job(queue, job_id)).rung

    async def test_asked_for_while_it_runs_waits_until_it_was_asked_for(
        self, queue: Database, bench: Bench
    ) -> None:
        job_id = await put(queue, SILENT, key="a")
        claim = await take(queue, job_id)
        await put(queue, SILENT, key="a", run_at=NOW + 9 * MINUTE)
        await put(queue, SILENT, key="a", run_at=NOW + 5 * MINUTE)
        await put(queue, SILENT, key="a", run_at=NOW + 7 * MINUTE)

        await end(queue, claim, Done())

        assert await state(queue, job_id) == State.READY
        assert await run_due(queue, REGISTRY, bench, NOW + 4.9 * MINUTE) == []
        assert len(await run_due(queue, REGISTRY, bench, NOW + 5 * MINUTE)) == 1
        assert await state(queue, job_id) == State.DONE

    @pytest.mark.parametrize(("wanted", "due"), [(3, 3), (8, 5)])
    async def test_is_due_at_the_soonest_that_anybody_wants(
        self, queue: Database, wanted: int, due: int
    ) -> None:
        job_id = await put(queue, SILENT, key="a")
        claim = await take(queue, job_id)
        await put(queue, SILENT, key="a", run_at=NOW + 5 * MINUTE)

        await end(queue, claim, Again(at=NOW + wanted * MINUTE))

        assert (await job(queue, job_id)).run_at == NOW + due * MINUTE

    async def test_admits_one_of_many_at_once(self, database: Database) -> None:
        ids = await asyncio.gather(*(put(database, NOTE, key="a") for _ in range(20)))

        assert len(set(ids)) == 1
        assert await count(database) == 1

    async def test_is_guarded_by_the_database_itself(self, database: Database) -> None:
        job_id = await put(database, NOTE, key="a")
        twin = {c.name: getattr(await job(database, job_id), c.name) for c in Job.__table__.columns}

        with pytest.raises(IntegrityError):
            async with database.transaction() as session:
                session.add(Job(**{**twin, "id": new_id()}))


class TestCancel:
    async def test_stops_a_waiting_job_for_good(self, queue: Database, bench: Bench) -> None:
        job_id = await put(queue, NOTE)

        async with queue.transaction() as session:
            assert await cancel(session, job_id)

        assert await run_due(queue, REGISTRY, bench, NOW) == []
        assert await state(queue, job_id) == State.CANCELED

    async def test_changes_nothing_that_has_ended(self, queue: Database, bench: Bench) -> None:
        job_id = await put(queue, NOTE)
        await run_due(queue, REGISTRY, bench, NOW)

        async with queue.transaction() as session:
            assert not await cancel(session, job_id)

        assert await state(queue, job_id) == State.DONE


class TestCancelWaiting:
    async def test_takes_out_what_waits(self, queue: Database, bench: Bench) -> None:
        job_id = await put(queue, NOTE, run_at=NOW + MINUTE)

        async with queue.transaction() as session:
            await cancel_waiting(session, job_id)

        assert await state(queue, job_id) == State.CANCELED
        assert await run_due(queue, REGISTRY, bench, NOW + 2 * MINUTE) == []

    async def test_leaves_a_running_job_to_its_run(self, queue: Database) -> None:
        job_id = await put(queue, NOTE)
        claim = await take(queue, job_id)

        with pytest.raises(JobNotWaiting, match="is running; ask again"):
            async with queue.transaction() as session:
                await cancel_waiting(session, job_id)

        await end(queue, claim, Done())  # the run had kept its lease
        assert await state(queue, job_id) == State.DONE

    async def test_lets_a_dying_job_say_its_last_words(self, queue: Database) -> None:
        job_id = await put(queue, NOTE)
        async with queue.transaction() as session:
            (await session.get_one(Job, job_id)).burial = "worker_lost"

        with pytest.raises(JobNotWaiting, match="given up"):
            async with queue.transaction() as session:
                await cancel_waiting(session, job_id)

    async def test_finds_nothing_where_nothing_is(self, queue: Database, bench: Bench) -> None:
        job_id = await put(queue, NOTE)
        await run_due(queue, REGISTRY, bench, NOW)

        async with queue.transaction() as session:
            with pytest.raises(JobNotWaiting, match="is done"):
                await cancel_waiting(session, job_id)
            with pytest.raises(JobNotFound):
                await cancel_waiting(session, new_id())


class TestRevive:
    async def test_gives_all_attempts_again(self, queue: Database, bench: Bench) -> None:
        job_id = await put(queue, FAIL, error="refused")
        await run_due(queue, REGISTRY, bench, NOW)
        async with queue.transaction() as session:
            assert [dead.id for dead in await dead_letters(session)] == [job_id]

            await revive(session, job_id)

        revived = await job(queue, job_id)
        assert (revived.state, revived.attempts, revived.burial) == (State.READY, 0, None)
        await run_due(queue, REGISTRY, bench, NOW)
        assert bench.started == [job_id, job_id]
        assert await effects(queue) == [(str(job_id), "buried: refused")] * 2

    async def test_refuses_what_is_not_dead(self, database: Database) -> None:
        job_id = await put(database, NOTE)

        with pytest.raises(JobNotDead):
            async with database.transaction() as session:
                await revive(session, job_id)

    async def test_refuses_what_is_not_there(self, database: Database) -> None:
        with pytest.raises(JobNotFound):
            async with database.transaction() as session:
                await revive(session, new_id())

    async def test_leaves_the_work_to_a_younger_job(self, queue: Database, bench: Bench) -> None:
        job_id = await put(queue, FAIL, key="a", error="refused")
        await run_due(queue, REGISTRY, bench, NOW)
        await put(queue, FAIL, key="a", error="busy")

        with pytest.raises(JobSucceeded):
            async with queue.transaction() as session:
                await revive(session, job_id)


class TestReviveAll:
    async def test_leaves_what_a_younger_job_does(self, queue: Database, bench: Bench) -> None:
        ids = [await put(queue, FAIL, error="refused") for _ in range(3)]
        ids.append(await put(queue, FAIL, key="a", error="refused"))
        await run_due(queue, REGISTRY, bench, NOW)
        await put(queue, FAIL, key="a", error="busy")

        done = await revive_all(queue)

        assert done == Revived(revived=3, left=1)
        assert [await state(queue, job_id) for job_id in ids] == [State.READY] * 3 + [State.DEAD]

    async def test_goes_on_behind_a_batch(self, queue: Database, bench: Bench) -> None:
        for _ in range(5):
            await put(queue, FAIL, error="refused")
        await run_due(queue, REGISTRY, bench, NOW)

        assert await revive_all(queue, batch=2) == Revived(revived=5)

    async def test_keeps_to_a_kind(self, queue: Database, bench: Bench) -> None:
        job_id = await put(queue, FAIL, error="refused")
        await run_due(queue, REGISTRY, bench, NOW)

        assert await revive_all(queue, kind="tests.note") == Revived()
        assert await state(queue, job_id) == State.DEAD


class TestPoll:
    async def test_is_brought_forward_by_news(self, queue: Database, bench: Bench) -> None:
        job_id = await put(queue, POLL, key="a", times=2)
        await run_due(queue, REGISTRY, bench, NOW)
        assert await state(queue, job_id) == State.READY

        await put(queue, POLL, key="a", times=2)
        await run_due(queue, REGISTRY, bench, NOW)

        assert await state(queue, job_id) == State.DONE
