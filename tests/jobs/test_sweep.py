"""Clearing away, and looking at what is left."""

from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from medici.jobs import tasks
from medici.jobs.handlers import Registry
from medici.jobs.inline import run_due
from medici.jobs.kinds import Queue
from medici.jobs.models import Job, JobWorker, State
from medici.jobs.presence import forget_gone, leave, seconds_since_seen, show
from medici.jobs.queries import counts, depth
from medici.jobs.queue import cancel, enqueue
from medici.jobs.sweep import first_id_of, sweep
from medici.jobs.tasks import SWEEP
from medici.kernel.db.database import Database
from medici.kernel.ids import new_id
from tests.jobs.acts import put, take
from tests.jobs.work import FAIL, HOLD, NOTE, NOW, POLL, REGISTRY, Bench


async def ids(session: AsyncSession) -> list[object]:
    return list((await session.execute(select(Job.id).order_by(Job.id))).scalars())


class TestSweep:
    async def test_deletes_what_ended_and_keeps_what_is_dead_or_unfinished(
        self, queue: Database, bench: Bench
    ) -> None:
        await put(queue, NOTE)
        dead = await put(queue, FAIL, error="refused")
        canceled = await put(queue, NOTE, run_at=NOW + timedelta(days=1))
        await run_due(queue, REGISTRY, bench, NOW)
        ready = await put(queue, NOTE)
        async with queue.transaction() as session:
            await cancel(session, canceled)
        running = (await take(queue, await put(queue, HOLD))).id

        async with queue.transaction() as session:
            assert await sweep(session, retention=timedelta(seconds=-1)) == 2
            assert await ids(session) == [dead, ready, running]

    async def test_keeps_what_ended_lately(self, queue: Database, bench: Bench) -> None:
        await put(queue, NOTE)
        await run_due(queue, REGISTRY, bench, NOW)

        async with queue.transaction() as session:
            assert await sweep(session) == 0

    async def test_goes_in_batches(self, queue: Database, bench: Bench) -> None:
        for _ in range(5):
            await put(queue, NOTE)
        await run_due(queue, REGISTRY, bench, NOW)

        async with queue.transaction() as session:
            swept = [
                await sweep(session, retention=timedelta(seconds=-1), limit=2) for _ in range(4)
            ]

        assert swept == [2, 2, 1, 0]

    async def test_is_a_job_itself(self, queue: Database, bench: Bench) -> None:
        await put(queue, SWEEP)

        (ran,) = await run_due(queue, Registry.of(tasks), bench, NOW)

        assert ran.outcome.name == "done"

    async def test_knows_where_the_ids_of_a_moment_begin(self) -> None:
        assert str(first_id_of(NOW)) == "019ca945-0a00-0000-0000-000000000000"
        assert first_id_of(NOW) < new_id()


class TestDepth:
    async def test_counts_by_queue_and_state(self, queue: Database, bench: Bench) -> None:
        await put(queue, FAIL, error="refused")
        await put(queue, NOTE)
        await run_due(queue, REGISTRY, bench, NOW)
        await put(queue, NOTE)
        await put(queue, POLL, times=1, run_at=NOW + timedelta(days=1))
        await take(queue, await put(queue, HOLD))

        async with queue.reading() as session:
            assert await counts(session) == {
                (Queue.DEFAULT, State.READY): 1,
                (Queue.POLLING, State.READY): 1,
                (Queue.IMAGE, State.RUNNING): 1,
                (Queue.DEFAULT, State.DEAD): 1,
            }
            now = await depth(session)
        assert (now.due, now.running) == (1, 1)
        assert 0 < now.oldest_due_seconds < 60

    async def test_of_an_empty_queue_is_nothing(self, session: AsyncSession) -> None:
        empty = await depth(session)

        assert (empty.due, empty.running, empty.oldest_due_seconds) == (0, 0, 0.0)


class TestPresence:
    async def test_tells_when_a_worker_was_last_seen(self, session: AsyncSession) -> None:
        worker = new_id()
        assert await seconds_since_seen(session) is None

        await show(session, worker)
        await show(session, worker)

        seen = await seconds_since_seen(session)
        assert seen is not None
        assert 0 <= seen < 10
        await leave(session, worker)
        assert await seconds_since_seen(session) is None

    async def test_forgets_who_vanished_long_ago(self, session: AsyncSession) -> None:
        old, new = new_id(), new_id()
        await show(session, old)
        past = (
            "now() - interval '2 days'"
            if session.get_bind().dialect.name == "postgresql"
            else "strftime('%Y-%m-%d %H:%M:%f', 'now', '-2 days')"
        )
        await session.execute(text(f"UPDATE job_workers SET seen_at = {past}"))
        await show(session, new)

        await forget_gone(session, after=timedelta(days=1))

        assert (await session.execute(select(JobWorker.id))).scalars().all() == [new]


class TestOrder:
    async def test_of_ids_is_that_of_their_making(self, session: AsyncSession) -> None:
        made = [await enqueue(session, NOTE, now=NOW, args={}) for _ in range(20)]

        assert await ids(session) == made
