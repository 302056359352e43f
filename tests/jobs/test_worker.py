"""A worker at work: side by side, woken, stopped, robbed of its leases and of its database."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from medici.jobs import tasks
from medici.jobs.bell import ring
from medici.jobs.handlers import Registry
from medici.jobs.inline import run_due
from medici.jobs.kinds import Queue
from medici.jobs.models import Job, State
from medici.jobs.presence import seconds_since_seen
from medici.jobs.queue import cancel
from medici.kernel.db.database import Database
from medici.kernel.db.errors import DatabaseUnavailable
from tests.jobs.acts import QUICK, job, let_lapse, put, state, until_state, working
from tests.jobs.waiting import until, until_true
from tests.jobs.work import HOLD, NOTE, NOW, POLL, REGISTRY, SILENT, SLOW, Bench, effects, silent
from tests.support.databases import opened

HOUR = timedelta(hours=1)
DEAF = replace(QUICK, poll_seconds=3600)  # looks for work only when it is rung


@dataclass
class Watcher:
    """An observer that remembers what it was told."""

    begun: list[str] = field(default_factory=list)
    ended: list[tuple[str, str]] = field(default_factory=list)

    def started(self, kind: str) -> None:
        self.begun.append(kind)

    def finished(self, kind: str, outcome: str, seconds: float) -> None:
        self.ended.append((kind, outcome))


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


class TestLease:
    async def test_is_kept_while_a_run_goes_on(self, queue: Database, bench: Bench) -> None:
        job_id = await put(queue, HOLD)
        options = replace(QUICK, lease_seconds=1.0)

        async with working(queue, bench, options=options), working(queue, bench, options=options):
            await until_true(lambda: len(bench.started) == 1)
            fence = (await job(queue, job_id)).fence
            first = (await job(queue, job_id)).lease_until
            assert first is not None

            async def outlived() -> bool:
                lease_until = (await job(queue, job_id)).lease_until
                return lease_until is not None and lease_until - first > timedelta(seconds=1.2)

            await until(outlived)
            assert (await job(queue, job_id)).fence == fence
            bench.release.set()
            await until_state(queue, job_id, State.DONE)

        assert bench.started == [job_id]

    async def test_lost_to_another_ends_the_run(self, queue: Database, bench: Bench) -> None:
        job_id = await put(queue, HOLD)
        watcher = Watcher()

        async with working(queue, bench, observer=watcher):
            await until_true(lambda: len(bench.started) == 1)
            await let_lapse(queue, job_id)
            await until_true(lambda: len(bench.started) == 2)
            await until_true(lambda: bench.cancelled == [job_id])
            bench.release.set()
            await until_state(queue, job_id, State.DONE)

        assert sorted(outcome for _, outcome in watcher.ended) == ["done", "lost"]
        assert await effects(queue) == [(str(job_id), "held")]

    async def test_survives_a_freeze_that_nobody_noticed(
        self, queue: Database, bench: Bench
    ) -> None:
        job_id = await put(queue, HOLD)

        async with working(queue, bench, options=replace(QUICK, lease_seconds=0.6)):
            await until_true(lambda: len(bench.started) == 1)
            time.sleep(0.8)  # noqa: ASYNC251 - the whole process stands still
            noted = await put(queue, NOTE)
            await until_state(queue, noted, State.DONE)
            bench.release.set()
            await until_state(queue, job_id, State.DONE)

        assert bench.started == [job_id]

    async def test_of_a_canceled_job_ends_the_run(self, queue: Database, bench: Bench) -> None:
        job_id = await put(queue, HOLD)

        async with working(queue, bench):
            await until_true(lambda: len(bench.started) == 1)
            async with queue.transaction() as session:
                await cancel(session, job_id)
            await until_true(lambda: bench.cancelled == [job_id])

        assert await state(queue, job_id) == State.CANCELED


class TestStop:
    async def test_lets_runs_finish(self, queue: Database, bench: Bench) -> None:
        job_id = await put(queue, HOLD)

        async with working(queue, bench):
            await until_true(lambda: len(bench.started) == 1)
            asyncio.get_running_loop().call_later(0.2, bench.release.set)

        assert await state(queue, job_id) == State.DONE

    async def test_hands_back_what_takes_too_long(self, queue: Database, bench: Bench) -> None:
        job_id = await put(queue, HOLD)

        async with working(queue, bench, options=replace(QUICK, grace_seconds=0.1)):
            await until_true(lambda: len(bench.started) == 1)

        returned = await job(queue, job_id)
        assert (returned.state, returned.attempts, returned.losses) == (State.READY, 0, 0)
        assert returned.fence > 1
        assert bench.cancelled == [job_id]
        bench.release.set()
        await run_due(queue, REGISTRY, bench, NOW)
        assert await effects(queue) == [(str(job_id), "held")]

    async def test_claims_nothing_more(self, queue: Database, bench: Bench) -> None:
        await put(queue, HOLD)
        options = replace(QUICK, grace_seconds=0.3, concurrency=2)

        async with working(queue, bench, options=options):
            await until_true(lambda: len(bench.started) == 1)
        late = await put(queue, NOTE)

        assert await state(queue, late) == State.READY


class TestClock:
    @pytest.mark.parametrize("skew", [HOUR, -HOUR])
    async def test_of_a_worker_decides_nothing(
        self, queue: Database, bench: Bench, skew: timedelta
    ) -> None:
        """Whoever enqueues and works an hour off does so in the same moment as all others."""

        def skewed() -> Any:
            return NOW + skew

        at_once = await put(queue, NOTE, now=skewed())
        soon = await put(queue, NOTE, now=skewed(), run_at=skewed() + timedelta(seconds=0.3))
        later = await put(queue, NOTE, now=skewed(), run_at=skewed() + HOUR / 2)
        held = await put(queue, HOLD)

        async with working(queue, bench, by_clock=skewed), working(queue, bench):
            await until_state(queue, at_once, State.DONE)
            await until_state(queue, soon, State.DONE)
            bench.release.set()
            await until_state(queue, held, State.DONE)

        assert bench.started == [held]
        assert await state(queue, later) == State.READY


@asynccontextmanager
async def opened_again(database: Database) -> AsyncIterator[Database]:
    async with opened(database.engine.url.render_as_string(hide_password=False)) as other:
        yield other


class TestOutage:
    async def test_is_outlived(self, queue: Database, bench: Bench, tmp_path: Path) -> None:
        """The database goes away under running jobs and comes back; nobody restarts anything."""
        make_impatient(queue)
        before = [await put(queue, HOLD) for _ in range(4)]
        meanwhile = [await put(queue, NOTE, run_at=NOW + timedelta(seconds=0.2)) for _ in range(4)]
        options = replace(QUICK, lease_seconds=5.0)  # leases outlast the outage

        async with working(queue, bench, options=options):
            await until_true(lambda: len(bench.started) == 4)
            async with away(queue, tmp_path):
                bench.release.set()
                await asyncio.sleep(0.5)  # long enough to fail several times
            await until(partial(answers, queue))  # our own connections died, too
            for job_id in before + meanwhile:
                await until_state(queue, job_id, State.DONE, within=5)

        assert len(await effects(queue)) == 8


async def answers(database: Database) -> bool:
    try:
        await database.check()
    except DatabaseUnavailable:
        return False
    return True


def make_impatient(database: Database) -> None:
    """Have SQLite report a lock soon instead of waiting for it."""
    if database.dialect == "sqlite":

        @event.listens_for(database.engine.sync_engine, "checkout")
        def _(connection: Any, *_: object) -> None:
            connection.execute("PRAGMA busy_timeout=20")


@asynccontextmanager
async def away(database: Database, directory: Path) -> AsyncIterator[None]:
    if database.dialect == "sqlite":
        assert database.engine.url.database is not None
        connection = sqlite3.connect(database.engine.url.database, isolation_level=None, timeout=60)
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.rollback()
        connection.close()
    else:
        killing = asyncio.create_task(kill_connections(database))
        yield
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)


async def kill_connections(database: Database) -> None:
    """End every connection to this database again and again, from outside it."""
    name = database.engine.url.database
    async with opened_elsewhere(database) as other:
        while True:
            async with other.engine.connect() as connection:
                await connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = :name"
                    ),
                    {"name": name},
                )
            await asyncio.sleep(0.01)


@asynccontextmanager
async def opened_elsewhere(database: Database) -> AsyncIterator[Database]:
    url = database.engine.url.set(database="postgres")
    async with opened(url.render_as_string(hide_password=False)) as other:
        yield other


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
