"""Claims and leases, with several workers reaching for the same jobs."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from medici.jobs.claims import Claim, Claimant, claim_due, claim_fairly
from medici.jobs.errors import LeaseLost
from medici.jobs.inline import run_due
from medici.jobs.kinds import Queue
from medici.jobs.leases import extend, free_leases, recover_lost
from medici.jobs.models import State
from medici.jobs.outcomes import Done
from medici.jobs.rules import BURIAL_ATTEMPTS
from medici.jobs.run import Run
from medici.jobs.settlement import finish_all, settle
from medici.kernel.db.database import Database
from medici.kernel.ids import new_id
from tests.jobs.acts import job, let_lapse, put, state, take
from tests.jobs.work import HOLD, NOTE, NOW, POISON, POLL, REGISTRY, Bench, clock, effect, effects


async def claims_of(database: Database, *, room: int = 100) -> list[Claim]:
    claimant = Claimant(worker=new_id(), lease_seconds=60)
    async with database.transaction() as session:
        return await claim_due(session, claimant, queue=Queue.DEFAULT, room=room)


async def recover(database: Database) -> int:
    async with database.transaction() as session:
        return await recover_lost(session)


def run_of(database: Database, claim: Claim) -> Run[Bench]:
    return Run(resources=Bench(), database=database, claim=claim, clock=clock)


class TestClaim:
    async def test_takes_the_oldest_first_and_no_more_than_asked(self, database: Database) -> None:
        ids = [await put(database, NOTE) for _ in range(5)]

        claims = await claims_of(database, room=3)

        assert [claim.id for claim in claims] == ids[:3]
        assert {(claim.fence, claim.standing.attempts) for claim in claims} == {(1, 1)}
        assert [await state(database, job_id) for job_id in ids[2:4]] == [
            State.RUNNING,
            State.READY,
        ]

    async def test_gives_each_job_to_one_of_many(self, database: Database) -> None:
        ids = [await put(database, NOTE) for _ in range(40)]

        taken = await asyncio.gather(*(claims_of(database, room=7) for _ in range(8)))

        found = [claim.id for claims in taken for claim in claims]
        assert sorted(found) == sorted(ids)

    async def test_does_not_wait_for_rows_that_others_hold(self, database: Database) -> None:
        if database.dialect == "sqlite":
            pytest.skip("one writer at a time, so nothing can be skipped")
        first, second = [await put(database, NOTE) for _ in range(2)]
        claimant = Claimant(worker=new_id(), lease_seconds=60)

        async with database.transaction() as session:
            held = await claim_due(session, claimant, queue=Queue.DEFAULT, room=1)
            others = await claims_of(database)

        assert ([claim.id for claim in held], [claim.id for claim in others]) == (
            [first],
            [second],
        )

    async def test_shares_room_between_queues(self, database: Database) -> None:
        for kind in (NOTE, HOLD, POLL):
            for _ in range(10):
                await put(database, kind)
        claimant = Claimant(worker=new_id(), lease_seconds=60)

        async with database.transaction() as session:
            claims, more = await claim_fairly(session, claimant, queues=tuple(Queue), room=9)

        kinds = [claim.kind for claim in claims]
        assert {kind: kinds.count(kind) for kind in kinds} == {
            "tests.note": 3,
            "tests.hold": 3,
            "tests.poll": 3,
        }
        assert more

    async def test_gives_unused_room_to_the_queues_that_have_work(self, database: Database) -> None:
        for _ in range(10):
            await put(database, POLL, times=1)
        claimant = Claimant(worker=new_id(), lease_seconds=60)

        async with database.transaction() as session:
            claims, more = await claim_fairly(session, claimant, queues=tuple(Queue), room=9)

        assert (len(claims), more) == (9, True)

    @pytest.mark.parametrize(
        ("condition", "index"),
        [
            ("state = 'ready' AND queue = 'default' AND due_at <= :now", "ix_jobs_ready"),
            ("state = 'running' AND lease_until <= :now", "ix_jobs_running"),
        ],
    )
    async def test_reads_an_index_of_unfinished_jobs_alone(
        self, database: Database, condition: str, index: str
    ) -> None:
        await make_history(database, rows=5_000)

        plan = await plan_of(database, f"SELECT id FROM jobs WHERE {condition}")

        assert index in plan


async def make_history(database: Database, *, rows: int) -> None:
    """Add many jobs that were done long ago."""
    series = {
        "postgresql": (
            "SELECT gen_random_uuid(), 'x', 'default', '{}', 'done', now(), now(), 1, now() "
            "FROM generate_series(1, :rows)"
        ),
        "sqlite": (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows) "
            "SELECT lower(hex(randomblob(16))), 'x', 'default', '{}', 'done', '2026-01-01', "
            "'2026-01-01', 1, '2026-01-01' FROM n"
        ),
    }[database.dialect]
    columns = "id, kind, queue, args, state, run_at, due_at, max_attempts, created_at"
    async with database.transaction() as session:
        await session.execute(text(f"INSERT INTO jobs ({columns}) {series}"), {"rows": rows})
    async with database.transaction() as session:
        await session.execute(text("ANALYZE jobs"))


async def plan_of(database: Database, query: str) -> str:
    explain = "EXPLAIN" if database.dialect == "postgresql" else "EXPLAIN QUERY PLAN"
    moment = NOW if database.dialect == "postgresql" else "2026-03-01 12:00:00.000000"
    async with database.reading() as session:
        rows = await session.execute(text(f"{explain} {query}"), {"now": moment})
        return "\n".join(str(tuple(row)) for row in rows)


class TestLease:
    async def test_keeps_others_away_while_it_lasts(self, database: Database) -> None:
        await take(database, await put(database, NOTE))

        assert await recover(database) == 0
        assert await claims_of(database) == []

    async def test_lets_others_take_over_when_it_lapses(self, database: Database) -> None:
        claim = await take(database, await put(database, NOTE))
        await let_lapse(database, claim.id)

        assert await recover(database) == 1

        (again,) = await claims_of(database)
        assert (again.id, again.standing.attempts, again.standing.losses) == (claim.id, 2, 1)
        assert again.fence > claim.fence

    async def test_is_renewed_for_all_claims_at_once(self, database: Database) -> None:
        kept = [await take(database, await put(database, NOTE)) for _ in range(3)]
        lost = await take(database, await put(database, NOTE))
        for claim in [*kept, lost]:
            await let_lapse(database, claim.id)
        async with database.transaction() as session:
            await session.execute(
                text("UPDATE jobs SET fence = fence + 1 WHERE id = :id"),
                {"id": lost.id if database.dialect == "postgresql" else lost.id.hex},
            )

        async with database.transaction() as session:
            held = await extend(session, [*kept, lost], lease_seconds=60)

        assert held == {(claim.id, claim.fence) for claim in kept}
        assert await recover(database) == 1  # the one that had been taken from us

    async def test_does_not_wait_for_a_run_that_is_writing(self, database: Database) -> None:
        if database.dialect == "sqlite":
            pytest.skip("one writer at a time")
        claim = await take(database, await put(database, NOTE))

        async with run_of(database, claim).transaction(), database.transaction() as session:
            held = await extend(session, [claim], lease_seconds=60)

        assert held == {(claim.id, claim.fence)}

    async def test_cannot_be_taken_while_its_run_is_writing(self, database: Database) -> None:
        if database.dialect == "sqlite":
            pytest.skip("one writer at a time")
        claim = await take(database, await put(database, NOTE))
        await let_lapse(database, claim.id)

        async with run_of(database, claim).transaction():
            assert await recover(database) == 0

        assert await recover(database) == 1

    async def test_of_everybody_ends_when_the_only_server_starts(self, database: Database) -> None:
        ids = [await put(database, NOTE) for _ in range(3)]
        await claims_of(database)

        async with database.transaction() as session:
            assert await free_leases(session) == 3

        assert {claim.id for claim in await claims_of(database)} == set(ids)


class TestFence:
    async def taken_over(self, database: Database) -> tuple[Claim, Claim]:
        old = await take(database, await put(database, NOTE))
        await let_lapse(database, old.id)
        await recover(database)
        return old, await take(database, old.id)

    async def test_keeps_a_thawed_run_from_writing(self, queue: Database) -> None:
        old, new = await self.taken_over(queue)

        with pytest.raises(LeaseLost):
            async with run_of(queue, old).transaction() as session:
                await effect(session, old.id, "from the dead")
        async with run_of(queue, new).transaction() as session:
            await effect(session, new.id, "alive")

        assert await effects(queue) == [(str(new.id), "alive")]

    async def test_keeps_a_thawed_run_from_ending_the_job(self, database: Database) -> None:
        old, new = await self.taken_over(database)

        with pytest.raises(LeaseLost):
            async with database.transaction() as session:
                await run_of(database, old).finish(session)
        async with database.transaction() as session:
            assert await settle(session, old, Done(), now=NOW, draw=0.0) is None
            assert await finish_all(session, [old]) == set()

        assert await state(database, new.id) == State.RUNNING

    async def test_lets_a_finished_run_write_no_more(self, queue: Database) -> None:
        run = run_of(queue, await take(queue, await put(queue, NOTE)))
        async with run.transaction() as session:
            await run.finish(session)
            await effect(session, run.id, "with the end")

        with pytest.raises(LeaseLost):
            async with run.transaction():
                raise AssertionError("a second transaction was opened")

        assert run.finished
        assert await effects(queue) == [(str(run.id), "with the end")]

    async def test_leaves_the_job_running_when_its_end_is_rolled_back(
        self, database: Database
    ) -> None:
        run = run_of(database, await take(database, await put(database, NOTE)))

        with pytest.raises(ZeroDivisionError):
            async with run.transaction() as session:
                await run.finish(session)
                raise ZeroDivisionError

        assert not run.finished
        assert await state(database, run.id) == State.RUNNING


class TestPoison:
    async def lose(self, database: Database, job_id: UUID, times: int) -> None:
        for _ in range(times):
            await take(database, job_id)
            await let_lapse(database, job_id)
            await recover(database)

    async def test_is_given_up_after_three_workers(self, queue: Database, bench: Bench) -> None:
        job_id = await put(queue, POISON)

        await self.lose(queue, job_id, 2)
        assert (await job(queue, job_id)).burial is None
        await self.lose(queue, job_id, 1)
        await run_due(queue, REGISTRY, bench, NOW)

        assert await effects(queue) == [(str(job_id), "buried: worker_lost")]
        assert await state(queue, job_id) == State.DEAD

    async def test_that_kills_the_undertaker_too_is_left_dead(self, queue: Database) -> None:
        job_id = await put(queue, POISON)

        await self.lose(queue, job_id, 3 + BURIAL_ATTEMPTS)

        assert await state(queue, job_id) == State.DEAD
        assert await effects(queue) == []

    async def test_is_buried_though_workers_go_on_dying(
        self, queue: Database, bench: Bench
    ) -> None:
        job_id = await put(queue, POISON)

        await self.lose(queue, job_id, 3 + BURIAL_ATTEMPTS - 1)
        await run_due(queue, REGISTRY, bench, NOW)

        assert await effects(queue) == [(str(job_id), "buried: worker_lost")]
