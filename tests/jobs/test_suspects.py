"""Jobs that workers have died of, or beside which they died: run one at a time."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import update

from medici.jobs.claims import Claim, Claimant, claim_due, claim_suspect
from medici.jobs.kinds import Queue
from medici.jobs.models import Job, State
from medici.jobs.rules import LOSSES_ALLOWED
from medici.kernel.db.database import Database
from medici.kernel.ids import new_id
from tests.jobs.acts import put, state, until_state, working
from tests.jobs.waiting import until_true
from tests.jobs.work import HOLD, Bench

QUEUES = tuple(Queue)


async def outlived(
    database: Database, job_id: UUID, losses: int, burial: str | None = None
) -> None:
    """Let a job have seen so many workers die."""
    async with database.transaction() as session:
        await session.execute(
            update(Job).where(Job.id == job_id).values(losses=losses, burial=burial)
        )


async def claims(database: Database, *, suspects: bool) -> Sequence[Claim]:
    claimant = Claimant(worker=new_id(), lease_seconds=60)
    async with database.transaction() as session:
        if suspects:
            return await claim_suspect(session, claimant, queues=QUEUES)
        return await claim_due(session, claimant, queue=HOLD.queue, room=10)


class TestSuspects:
    async def test_are_claimed_apart_and_one_at_a_time(self, queue: Database) -> None:
        ids = [await put(queue, HOLD) for _ in range(4)]
        for job_id in ids[:2]:
            await outlived(queue, job_id, LOSSES_ALLOWED - 1)
        await outlived(queue, ids[2], LOSSES_ALLOWED - 2)

        assert [claim.id for claim in await claims(queue, suspects=False)] == ids[2:]
        assert [claim.id for claim in await claims(queue, suspects=True)] == [ids[0]]
        assert [claim.id for claim in await claims(queue, suspects=True)] == [ids[1]]
        assert await claims(queue, suspects=True) == []

    async def test_are_no_suspects_any_more_while_their_last_words_are_said(
        self, queue: Database
    ) -> None:
        job_id = await put(queue, HOLD)
        await outlived(queue, job_id, LOSSES_ALLOWED, burial="worker_lost")

        assert [claim.id for claim in await claims(queue, suspects=False)] == [job_id]

    async def test_run_beside_others_but_never_beside_each_other(
        self, queue: Database, bench: Bench
    ) -> None:
        suspects = [await put(queue, HOLD) for _ in range(3)]
        for job_id in suspects:
            await outlived(queue, job_id, LOSSES_ALLOWED - 1)
        others = [await put(queue, HOLD) for _ in range(2)]

        async with working(queue, bench) as worker:
            await until_true(lambda: len(bench.started) == 3)
            await asyncio.sleep(0.2)  # time enough to take more, if it were to
            assert worker.running == 3
            assert set(bench.started) == {suspects[0], *others}
            bench.release.set()
            for job_id in (*suspects, *others):
                await until_state(queue, job_id, State.DONE)

        assert [await state(queue, job_id) for job_id in suspects] == [State.DONE] * 3
