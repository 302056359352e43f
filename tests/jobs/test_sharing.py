"""Runs that take the same step side by side share a transaction, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar
from uuid import UUID

import pytest
from sqlalchemy import Column, Text

from medici.jobs.claims import Claim
from medici.jobs.errors import LeaseLost
from medici.jobs.failures import failure_of
from medici.jobs.leases import recover_lost
from medici.jobs.models import State
from medici.jobs.outcomes import Failed
from medici.jobs.queue import cancel
from medici.jobs.run import Run
from medici.jobs.settlement import settle
from medici.jobs.sharing import Sharing
from medici.kernel.db.database import Database
from medici.kernel.db.driver.bulk import BulkStatement
from medici.kernel.db.driver.transaction import Driver, Work
from medici.kernel.errors import MediciError
from tests.jobs.acts import job, let_lapse, put, state, take
from tests.jobs.work import ERRORS, NOTE, NOW, Bench, Refused, clock, draw, effects, make_effects

T = TypeVar("T")
MARK = BulkStatement(
    "INSERT INTO effects (job_id, word) SELECT job_id, word FROM {rows}",
    {"job_id": Column("job_id", Text()), "word": Column("word", Text())},
)
Item = tuple[UUID, str]


class Counting(Database):
    """A database that counts the transactions it was asked to carry out."""

    carried_out = 0
    looks = 0

    async def carry_out(self, work: Work[T]) -> T:
        self.carried_out += 1
        return await super().carry_out(work)

    async def look(self, work: Work[T]) -> T:
        self.looks += 1
        return await super().look(work)


async def mark(driver: Driver, items: Sequence[Item]) -> list[str | MediciError]:
    """Leave each word as an effect; refuse ``never``, and break with ``broken``."""
    await MARK.run(driver, [(str(job_id), word) for job_id, word in items if word != "never"])
    if any(word == "broken" for _, word in items):
        raise ZeroDivisionError("secret")
    return [Refused("never") if word == "never" else word.upper() for _, word in items]


async def mark_otherwise(driver: Driver, items: Sequence[Item]) -> list[str | MediciError]:
    return await mark(driver, [(job_id, f"other {word}") for job_id, word in items])


async def tell(_driver: Driver, items: Sequence[str]) -> list[str | MediciError]:
    return [Refused("never") if word == "never" else word.upper() for word in items]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Counting]:
    database = Counting.open(database_url)
    assert isinstance(database, Counting)
    await make_effects(database)
    yield database
    await database.close()


Start = Callable[[Claim], Run[Bench]]


@pytest.fixture(params=["sharing", "alone"])
def start(request: pytest.FixtureRequest, database: Counting) -> Start:
    """Give the run of a claim: one that shares its steps with the others, or one that does not."""
    sharing = Sharing(database) if request.param == "sharing" else None
    return lambda claim: run_of(database, claim, sharing)


@pytest.fixture
def together(database: Counting) -> Start:
    """Give the run of a claim, which shares its steps with the others."""
    sharing = Sharing(database)
    return lambda claim: run_of(database, claim, sharing)


def run_of(database: Database, claim: Claim, sharing: Sharing | None) -> Run[Bench]:
    return Run(resources=Bench(), database=database, claim=claim, clock=clock, sharing=sharing)


async def claims(database: Database, count: int) -> list[Claim]:
    return [await take(database, await put(database, NOTE)) for _ in range(count)]


async def marked(
    runs: Sequence[Run[Bench]], *words: str, finish: bool = False
) -> list[str | BaseException]:
    """Have each run leave its word, all of them at the same time."""
    return await asyncio.gather(
        *(
            run.take(mark, (run.id, word), finish=finish)
            for run, word in zip(runs, words, strict=True)
        ),
        return_exceptions=True,
    )


async def words(database: Database) -> list[str]:
    return sorted(word for _, word in await effects(database))


class TestTake:
    async def test_answers_each_run(self, database: Counting, start: Start) -> None:
        runs = [start(claim) for claim in await claims(database, 3)]

        assert await marked(runs, "a", "b", "c") == ["A", "B", "C"]
        assert sorted(await effects(database)) == sorted(
            (str(run.id), word) for run, word in zip(runs, "abc", strict=True)
        )
        assert [await state(database, run.id) for run in runs] == [State.RUNNING] * 3
        assert not any(run.finished or run.finishing for run in runs)

    async def test_marks_done_with_it_where_asked(self, database: Counting, start: Start) -> None:
        runs = [start(claim) for claim in await claims(database, 3)]

        await marked(runs, "a", "b", "c", finish=True)

        assert [await state(database, run.id) for run in runs] == [State.DONE] * 3
        assert all(run.finished for run in runs)
        done = await job(database, runs[0].id)
        assert (done.worker, done.lease_until, done.finished_at is None) == (None, None, False)

    async def test_refuses_one_without_its_neighbours(
        self, database: Counting, start: Start
    ) -> None:
        runs = [start(claim) for claim in await claims(database, 3)]

        first, refused, last = await marked(runs, "a", "never", "c", finish=True)

        assert (first, last) == ("A", "C")
        assert isinstance(refused, Refused)
        assert [await state(database, run.id) for run in runs] == [
            State.DONE,
            State.RUNNING,
            State.DONE,
        ]
        assert [(run.finished, run.finishing) for run in runs][1] == (False, False)
        assert await words(database) == ["a", "c"]

    async def test_fails_only_the_one_that_its_step_breaks_with(
        self, database: Counting, start: Start
    ) -> None:
        runs = [start(claim) for claim in await claims(database, 3)]

        first, broken, last = await marked(runs, "a", "broken", "c", finish=True)

        assert (first, last) == ("A", "C")
        assert isinstance(broken, ZeroDivisionError)
        assert await words(database) == ["a", "c"]
        assert await state(database, runs[1].id) == State.RUNNING

    async def test_does_nothing_for_a_run_that_has_lost_its_job(
        self, database: Counting, start: Start
    ) -> None:
        runs = [start(claim) for claim in await claims(database, 3)]
        async with database.transaction() as session:
            await cancel(session, runs[1].id)

        first, lost, last = await marked(runs, "a", "b", "c", finish=True)

        assert (first, last) == ("A", "C")
        assert isinstance(lost, LeaseLost)
        assert await words(database) == ["a", "c"]
        assert await state(database, runs[1].id) == State.CANCELED

    @pytest.mark.parametrize("newest_first", [True, False])
    async def test_tells_the_run_that_holds_a_job_from_one_that_did(
        self, database: Counting, start: Start, *, newest_first: bool
    ) -> None:
        (old,) = await claims(database, 1)
        await let_lapse(database, old.id)
        async with database.transaction() as session:
            await recover_lost(session)
        new = await take(database, old.id)
        both = [(start(new), "new"), (start(old), "old")][:: 1 if newest_first else -1]

        answers = await marked([run for run, _ in both], *(word for _, word in both))

        assert answers.count("NEW") == 1
        assert [type(each) for each in answers].count(LeaseLost) == 1
        assert await words(database) == ["new"]

    async def test_starts_afresh_what_was_asked_for_meanwhile(
        self, database: Counting, start: Start
    ) -> None:
        rung = await take(database, await put(database, NOTE, key="k"))
        neighbour, *_ = await claims(database, 1)
        await put(database, NOTE, key="k")
        runs = [start(rung), start(neighbour)]

        assert await marked(runs, "a", "b", finish=True) == ["A", "B"]

        again = await job(database, rung.id)
        assert (again.state, again.attempts, again.rung) == (State.READY, 0, False)
        assert await state(database, neighbour.id) == State.DONE
        assert all(run.finished for run in runs)

    async def test_buries_what_was_given_up(self, database: Counting, start: Start) -> None:
        given_up, neighbour = await claims(database, 2)
        failure = failure_of(ERRORS["refused"])
        async with database.transaction() as session:
            await settle(session, given_up, Failed(failure=failure), now=NOW, draw=draw())
        last_words = await take(database, given_up.id)
        runs = [start(last_words), start(neighbour)]

        assert await marked(runs, "a", "b", finish=True) == ["A", "B"]

        dead = await job(database, given_up.id)
        assert (dead.state, dead.burial) == (State.DEAD, "refused")
        assert await state(database, neighbour.id) == State.DONE


class TestSharing:
    async def test_carries_out_many_runs_by_one_transaction(
        self, database: Counting, together: Start
    ) -> None:
        runs = [together(claim) for claim in await claims(database, 20)]

        await marked(runs, *(f"w{n}" for n in range(20)), finish=True)

        assert database.carried_out == 1
        assert len(await effects(database)) == 20

    async def test_lets_a_refusal_and_a_loss_share_it(
        self, database: Counting, together: Start
    ) -> None:
        runs = [together(claim) for claim in await claims(database, 4)]
        async with database.transaction() as session:
            await cancel(session, runs[0].id)

        await marked(runs, "lost", "a", "never", "b", finish=True)

        assert database.carried_out == 1
        assert await words(database) == ["a", "b"]

    async def test_keeps_other_steps_and_other_ends_apart(
        self, database: Counting, together: Start
    ) -> None:
        one, two, three = [together(claim) for claim in await claims(database, 3)]

        first, other, last = await asyncio.gather(
            one.take(mark, (one.id, "a")),
            two.take(mark_otherwise, (two.id, "b")),
            three.take(mark, (three.id, "c"), finish=True),
        )

        assert (first, other, last) == ("A", "OTHER B", "C")
        assert database.carried_out == 3
        assert [await state(database, run.id) for run in (one, two, three)] == [
            State.RUNNING,
            State.RUNNING,
            State.DONE,
        ]

    async def test_serves_who_comes_later(self, database: Counting, together: Start) -> None:
        one, two = [together(claim) for claim in await claims(database, 2)]

        with pytest.raises(ZeroDivisionError):
            await one.take(mark, (one.id, "broken"))

        assert await two.take(mark, (two.id, "a")) == "A"
        assert await one.take(mark, (one.id, "b")) == "B"
        assert await words(database) == ["a", "b"]


class TestLook:
    async def test_answers_each_run(self, database: Counting, start: Start) -> None:
        runs = [start(claim) for claim in await claims(database, 3)]

        first, refused, last = await asyncio.gather(
            *(run.look(tell, word) for run, word in zip(runs, ["a", "never", "c"], strict=True)),
            return_exceptions=True,
        )

        assert (first, last) == ("A", "C")
        assert isinstance(refused, Refused)

    async def test_is_taken_by_many_runs_at_once(self, database: Counting, together: Start) -> None:
        runs = [together(claim) for claim in await claims(database, 5)]

        await asyncio.gather(*(run.look(tell, "a") for run in runs))

        assert database.looks == 1
