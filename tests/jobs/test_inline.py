"""All due work, done here and now."""

from datetime import timedelta

from sqlalchemy import update
from structlog.testing import capture_logs

from medici.jobs.handlers import Registry
from medici.jobs.inline import run_due
from medici.jobs.models import Job, State
from medici.kernel.db.database import Database
from tests.jobs.acts import job, put, state
from tests.jobs.work import FAIL, NOTE, NOW, POLL, REGISTRY, SILENT, SLOW, Bench, effects, silent

LATER = NOW + timedelta(hours=1)


class TestRunDue:
    async def test_runs_what_is_due_and_leaves_the_rest(
        self, queue: Database, bench: Bench
    ) -> None:
        due = await put(queue, NOTE)
        later = await put(queue, NOTE, run_at=LATER)

        ran = await run_due(queue, REGISTRY, bench, NOW)

        assert [one.job_id for one in ran] == [due]
        assert await effects(queue) == [(str(due), "noted")]
        assert await state(queue, due) == State.DONE
        assert await state(queue, later) == State.READY
        assert [one.job_id for one in await run_due(queue, REGISTRY, bench, LATER)] == [later]

    async def test_marks_done_what_does_not_finish_itself(
        self, queue: Database, bench: Bench
    ) -> None:
        job_id = await put(queue, SILENT)

        await run_due(queue, REGISTRY, bench, NOW)

        assert await state(queue, job_id) == State.DONE

    async def test_tries_again_later_and_then_says_the_last_words(
        self, queue: Database, bench: Bench
    ) -> None:
        job_id = await put(queue, FAIL, error="busy")

        for hours in range(3):
            await run_due(queue, REGISTRY, bench, NOW + timedelta(hours=hours))

        dead = await job(queue, job_id)
        assert bench.started == [job_id] * 3
        assert await effects(queue) == [(str(job_id), "buried: busy")]
        assert (dead.state, dead.last_error_code, dead.last_error) == (
            State.DEAD,
            "busy",
            "come back later",
        )

    async def test_gives_up_at_once_what_cannot_succeed(
        self, queue: Database, bench: Bench
    ) -> None:
        job_id = await put(queue, FAIL, error="refused")

        await run_due(queue, REGISTRY, bench, NOW)

        assert bench.started == [job_id]
        assert await effects(queue) == [(str(job_id), "buried: refused")]
        assert await state(queue, job_id) == State.DEAD

    async def test_stores_no_text_of_an_unexpected_error(
        self, queue: Database, bench: Bench
    ) -> None:
        job_id = await put(queue, FAIL, error="bug")

        await run_due(queue, REGISTRY, bench, NOW)

        failed = await job(queue, job_id)
        assert failed.last_error_code == "unexpected_error"
        assert failed.last_error is not None
        assert failed.last_error.startswith("ZeroDivisionError at ")
        assert "secret" not in failed.last_error

    async def test_runs_again_without_using_up_attempts(
        self, queue: Database, bench: Bench
    ) -> None:
        job_id = await put(queue, POLL, times=20)

        for minutes in range(20):
            assert await state(queue, job_id) == State.READY
            await run_due(queue, REGISTRY, bench, NOW + timedelta(minutes=minutes))

        assert bench.started == [job_id] * 20
        assert await state(queue, job_id) == State.DONE

    async def test_stops_a_run_that_takes_too_long(self, queue: Database, bench: Bench) -> None:
        job_id = await put(queue, SLOW)

        await run_due(queue, REGISTRY, bench, NOW)

        dead = await job(queue, job_id)
        assert (dead.state, dead.last_error_code) == (State.DEAD, "timeout")

    async def test_gives_up_arguments_that_do_not_fit(self, queue: Database, bench: Bench) -> None:
        job_id = await put(queue, NOTE, ward="noted")

        await run_due(queue, REGISTRY, bench, NOW)

        dead = await job(queue, job_id)
        assert (dead.state, dead.last_error) == (State.DEAD, "missing or unknown: ward")

    async def test_leaves_what_it_does_not_know_to_a_newer_release(
        self, queue: Database, bench: Bench
    ) -> None:
        job_id = await put(queue, NOTE)
        older = Registry([silent])

        with capture_logs() as logs:
            for hours in range(10):
                await run_due(queue, older, bench, NOW + timedelta(hours=hours))

        waiting = await job(queue, job_id)
        assert [line["event"] for line in logs] == ["job.kind_unknown"]
        assert (waiting.state, waiting.attempts, waiting.burial) == (State.READY, 0, None)
        assert (waiting.last_error_code, waiting.last_error) == (
            "unknown_job_kind",
            "no handler is registered for tests.note",
        )
        await run_due(queue, REGISTRY, bench, NOW + timedelta(hours=10))
        assert await effects(queue) == [(str(job_id), "noted")]

    async def test_leaves_last_words_that_it_does_not_know(
        self, queue: Database, bench: Bench
    ) -> None:
        job_id = await put(queue, FAIL, error="refused")
        older = Registry([silent])
        async with queue.transaction() as session:
            await session.execute(update(Job).values(burial="refused"))

        for hours in range(10):
            await run_due(queue, older, bench, NOW + timedelta(hours=hours))

        assert await state(queue, job_id) == State.READY
        await run_due(queue, REGISTRY, bench, NOW + timedelta(hours=10))
        assert await effects(queue) == [(str(job_id), "buried: refused")]
