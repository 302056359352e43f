"""Calling a job by name."""

import pytest

from medici.jobs.call import Called, call
from medici.jobs.errors import UnknownJobKind
from medici.jobs.kinds import Argument
from medici.jobs.models import State
from medici.kernel.db.database import Database
from tests.jobs.acts import working
from tests.jobs.work import REGISTRY, Bench, clock, draw, effects


async def called(database: Database, bench: Bench, name: str, **args: Argument) -> Called:
    return await call(database, REGISTRY, bench, name, args, clock=clock, draw=draw)


class TestCall:
    async def test_runs_the_job_to_its_end(self, queue: Database, bench: Bench) -> None:
        end = await called(queue, bench, "tests.note", word="called")

        assert (end.state, end.error_code) == (State.DONE, None)
        assert await effects(queue) == [(str(end.job_id), "called")]

    async def test_goes_through_all_attempts(self, queue: Database, bench: Bench) -> None:
        end = await called(queue, bench, "tests.fail", error="busy")

        assert (end.state, end.error_code, end.error) == (State.DEAD, "busy", "come back later")
        assert len(bench.started) == 3

    async def test_does_not_mind_that_a_worker_is_quicker(
        self, queue: Database, bench: Bench
    ) -> None:
        async with working(queue, bench):
            ends = [await called(queue, bench, "tests.note") for _ in range(5)]

        assert {end.state for end in ends} == {State.DONE}
        assert len(await effects(queue)) == 5

    async def test_enqueues_nothing_that_it_does_not_know(
        self, database: Database, bench: Bench
    ) -> None:
        with pytest.raises(UnknownJobKind):
            await called(database, bench, "tests.unknown")
