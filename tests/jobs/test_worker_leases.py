"""A worker that is robbed of its leases, stopped, or wrong about the time."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from medici.jobs.inline import run_due
from medici.jobs.models import State
from medici.jobs.queue import cancel
from medici.kernel.db.database import Database
from tests.jobs.acts import QUICK, Watcher, job, let_lapse, put, state, until_state, working
from tests.jobs.waiting import until, until_true
from tests.jobs.work import HOLD, NOTE, NOW, REGISTRY, Bench, effects

HOUR = timedelta(hours=1)


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
