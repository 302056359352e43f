"""A worker at work: side by side, woken, watched."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import event, text

from medici.jobs import tasks
from medici.jobs.bell import ring
from medici.jobs.handlers import Registry
from medici.jobs.kinds import Queue
from medici.jobs.models import Job, State
from medici.jobs.presence import seconds_since_seen
from medici.kernel.db.database import Database
from tests.jobs.acts import QUICK, Watcher, job, opened_again, put, state, until_state, working
from tests.jobs.waiting import until, until_true
from tests.jobs.work import HOLD, NOTE, POLL, SILENT, SLOW, Bench, silent

DEAF = replace(QUICK, poll_seconds=3600)  # looks for work only when it is rung


class TestWorker:
    async def test_does_what_waits_in_every_queue(self, queue: Database, bench: Bench) -> None:
        bench.release.set()
        ids = [await put(queue, kind) for kind in (NOTE, HOLD, SILENT)]
        ids.append(await put(queue, POLL, times=0))

        async with working(queue, bench) as worker:
            for job_id in ids:
                await until_state(queue, job_id, State.DONE)
            await until_true(lambda: worker.running == 0)

    async def test_leaves_other_queues_alone(self, queue: Database, bench: Bench) -> None:
        polled = await put(queue, POLL, times=0)
        noted = await put(queue, NOTE)

        async with working(queue, bench, options=replace(QUICK, queues=(Queue.DEFAULT,))):
            await until_state(queue, noted, State.DONE)

        assert await state(queue, polled) == State.READY

    async def test_runs_so_many_at_once_and_no_more(self, queue: Database, bench: Bench) -> None:
        ids = [await put(queue, HOLD) for _ in range(7)]

        async with working(queue, bench, options=replace(QUICK, concurrency=3)) as worker:
            await until_true(lambda: len(bench.started) == 3)
            assert worker.running == 3
            bench.release.set()
            for job_id in ids:
                await until_state(queue, job_id, State.DONE)

        assert sorted(bench.started) == sorted(ids)

    async def test_is_woken_by_a_commit(self, queue: Database, bench: Bench) -> None:
        async with working(queue, bench, options=DEAF):
            for _ in range(3):
                await until_state(queue, await put(queue, NOTE), State.DONE)

    async def test_is_woken_from_another_thread(self, queue: Database, bench: Bench) -> None:
        async with working(queue, bench, options=DEAF) as worker, opened_again(queue) as other:
            job_id = await put(other, NOTE)

            await asyncio.to_thread(worker.ring)

            await until_state(queue, job_id, State.DONE)

    async def test_is_woken_by_whoever_wrote_past_the_session(
        self, queue: Database, bench: Bench
    ) -> None:
        async with working(queue, bench, options=DEAF), opened_again(queue) as other:
            job_id = await put(other, NOTE)

            ring(queue.engine.sync_engine)

            await until_state(queue, job_id, State.DONE)

    async def test_wakes_by_itself_for_a_short_wait(self, queue: Database, bench: Bench) -> None:
        async with working(queue, bench, options=DEAF):
            job_id = await put(queue, POLL, times=5, wait_seconds=0.05)
            await until_state(queue, job_id, State.DONE)

        assert bench.started == [job_id] * 5

    async def test_hands_a_kind_of_a_newer_release_back(
        self, queue: Database, bench: Bench
    ) -> None:
        unknown = await put(queue, NOTE)
        watcher = Watcher()

        async with working(queue, bench, registry=Registry([silent]), observer=watcher):
            await until_true(lambda: watcher.ended == [("tests.note", "handed_back")])
            await until_state(queue, await put(queue, SILENT), State.DONE)

        waiting = await job(queue, unknown)
        assert (waiting.state, waiting.attempts) == (State.READY, 0)
        assert waiting.started_at is not None
        assert timedelta(seconds=4) < waiting.due_at - waiting.started_at < timedelta(seconds=20)

    async def test_tells_its_observer(self, queue: Database, bench: Bench) -> None:
        watcher = Watcher()
        slow = await put(queue, SLOW)

        async with working(queue, bench, observer=watcher):
            await until_state(queue, slow, State.DEAD)
            await until_state(queue, await put(queue, NOTE), State.DONE)

        assert sorted(watcher.begun) == ["tests.note", "tests.slow", "tests.slow"]
        assert watcher.ended == [
            ("tests.slow", "failed"),
            ("tests.slow", "done"),
            ("tests.note", "done"),
        ]

    async def test_shows_that_it_lives_and_says_when_it_goes(
        self, queue: Database, bench: Bench
    ) -> None:
        async def seen() -> bool:
            async with queue.reading() as session:
                return await seconds_since_seen(session) is not None

        async with working(queue, bench):
            await until(seen)

        assert not await seen()

    async def test_does_what_is_scheduled(self, queue: Database, bench: Bench) -> None:
        async def swept() -> bool:
            async with queue.reading() as session:
                found = await session.execute(text("SELECT 1 FROM jobs WHERE state = 'done'"))
                return found.first() is not None

        async with working(queue, bench, registry=Registry.of(tasks)):
            await until(swept)

    async def test_runs_again_what_was_asked_for_meanwhile(
        self, queue: Database, bench: Bench
    ) -> None:
        job_id = await put(queue, HOLD, key="a")

        async with working(queue, bench):
            await until_true(lambda: len(bench.started) == 1)
            await put(queue, HOLD, key="a")
            bench.release.set()
            await until_state(queue, job_id, State.DONE)

        assert bench.started == [job_id, job_id]


class TestThroughput:
    async def test_many_jobs_end_in_few_transactions(self, queue: Database, bench: Bench) -> None:
        ids = [await put(queue, SILENT) for _ in range(100)]
        commits = count_commits(queue)

        async with working(queue, bench, options=replace(QUICK, concurrency=64)):
            for job_id in ids:
                await until_state(queue, job_id, State.DONE)

        assert len(commits) < 60
        async with queue.reading() as session:
            assert {(await session.get_one(Job, job_id)).attempts for job_id in ids} == {1}


def count_commits(database: Database) -> list[object]:
    commits: list[object] = []
    event.listen(database.engine.sync_engine, "commit", commits.append)
    return commits
