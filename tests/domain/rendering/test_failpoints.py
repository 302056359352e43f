"""The process dies between any two steps of a render, once at each; another takes over."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

from medici.adapters.providers.failure import FailureCode
from medici.domain.ledger.models import Hold, HoldStatus
from medici.domain.pictures.models import Picture, Purpose
from medici.domain.rendering.models import AttemptState, RenderState
from medici.jobs.leases import free_leases
from medici.jobs.models import Job, State
from medici.kernel.db.database import Database
from tests.doors.support import NOW
from tests.support.fuses import Crash, Fuse, FusedDatabase, FusedStorage
from tests.support.painters import Painter, fails
from tests.support.studio import LONGER_THAN_ANY_WAIT, Studio, opened_studio

STEPS_AT_LEAST = 10  # a scenario with fewer was not watched


@pytest.fixture
def fuse() -> Fuse:
    return Fuse()


@pytest.fixture
async def studio(
    database: Database, tmp_path: Path, painter: Painter, sculptor: Painter, fuse: Fuse
) -> AsyncIterator[Studio]:
    painter.step = sculptor.step = fuse.step
    async with opened_studio(database, tmp_path, painter, sculptor) as whole:
        fused = replace(
            whole.resources,
            database=FusedDatabase(database, fuse),
            storage=FusedStorage(tmp_path / "fused", fuse),
        )
        yield Studio(fused, whole.clock)


async def drained(studio: Studio) -> None:
    """Work until nothing is left in the queue."""
    unfinished = select(func.count()).where(Job.state.in_((State.READY, State.RUNNING)))
    while True:
        await studio.work()
        async with studio.database.reading() as session:
            if not await session.scalar(unfinished):
                return
        studio.clock.advance(LONGER_THAN_ANY_WAIT)


async def rendered_with_a_crash(
    studio: Studio, fuse: Fuse, user: str, step: int
) -> tuple[UUID, bool]:
    """Order a picture, die at a step, take over; tell also whether there was such a step."""
    studio.clock.now = NOW
    await studio.customer(user)
    job_id = await studio.order(user)
    fuse.arm(step)
    try:
        await drained(studio)
    except Crash:
        async with studio.database.transaction() as session:
            await free_leases(session)
        await drained(studio)
        return job_id, True
    fuse.disarm()
    return job_id, False


async def canceled_with_a_crash(
    studio: Studio, fuse: Fuse, user: str, step: int
) -> tuple[UUID, bool]:
    """Order a picture, have it sent, cancel it; die at a step and do that part again."""
    studio.clock.now = NOW
    await studio.customer(user)
    job_id = await studio.order(user)
    fuse.arm(step)
    crashed = False
    for part in (studio.work, partial(studio.cancel, job_id, user), partial(drained, studio)):
        try:
            await part()
        except Crash:
            crashed = True
            async with studio.database.transaction() as session:
                await free_leases(session)
            await part()
    fuse.disarm()
    return job_id, crashed


async def hold_of(studio: Studio, job_id: UUID) -> HoldStatus:
    job = await studio.job(job_id)
    async with studio.database.reading() as session:
        return (await session.get_one(Hold, job.hold_id)).status


async def results(studio: Studio, user: str) -> list[UUID]:
    async with studio.database.reading() as session:
        found = await session.scalars(
            select(Picture.id).where(Picture.owner_id == user, Picture.purpose == Purpose.RESULT)
        )
        return list(found)


async def stray_files(studio: Studio) -> set[str]:
    """Return what lies in storage without a row."""
    async with studio.database.reading() as session:
        known = set(await session.scalars(select(Picture.key)))
    return await studio.stored_keys() - known


async def assert_delivered_once(studio: Studio, job_id: UUID, user: str) -> None:
    job = await studio.job(job_id)
    attempts = await studio.attempts(job_id)
    assert job.state is RenderState.SUCCEEDED
    assert await results(studio, user) == [job.output_id]
    assert await hold_of(studio, job_id) is HoldStatus.CAPTURED
    assert not any(attempt.state.is_open for attempt in attempts)
    assert (await studio.balance(user)).held == 0
    assert await stray_files(studio) == set()


class TestEveryStep:
    @pytest.mark.parametrize("synchronous", [True, False])
    async def test_may_be_the_last_of_a_process(
        self, studio: Studio, fuse: Fuse, painter: Painter, synchronous: bool
    ) -> None:
        painter.synchronous = synchronous

        for step in count(1):
            user = f"user-{step}"
            job_id, crashed = await rendered_with_a_crash(studio, fuse, user, step)
            await assert_delivered_once(studio, job_id, user)
            if not crashed:
                break

        assert step > STEPS_AT_LEAST
        assert set(painter.taken.values()) == {1}
        assert len(painter.taken) == step  # one job, one bill

    async def test_may_be_the_last_on_the_way_to_another_provider(
        self, studio: Studio, fuse: Fuse, painter: Painter, sculptor: Painter
    ) -> None:
        for step in count(1):
            user = f"user-{step}"
            painter.script.submit.clear()
            painter.script.submit.extend([fails(FailureCode.QUOTA)] * 2)
            job_id, crashed = await rendered_with_a_crash(studio, fuse, user, step)
            await assert_delivered_once(studio, job_id, user)
            if not crashed:
                break

        assert step > STEPS_AT_LEAST
        assert set(sculptor.taken.values()) == {1}
        assert (len(painter.taken), len(sculptor.taken)) == (0, step)

    async def test_may_be_the_last_on_the_way_out_of_a_canceled_render(
        self, studio: Studio, fuse: Fuse, painter: Painter
    ) -> None:
        for step in count(1):
            user = f"user-{step}"
            job_id, crashed = await canceled_with_a_crash(studio, fuse, user, step)
            (attempt,) = await studio.attempts(job_id)
            assert (await studio.job(job_id)).state is RenderState.CANCELED
            assert await hold_of(studio, job_id) is HoldStatus.VOIDED
            assert attempt.state is AttemptState.CANCELED
            assert (await studio.balance(user)).held == 0
            assert await results(studio, user) == []
            if not crashed:
                break

        assert step > STEPS_AT_LEAST
        assert set(painter.taken.values()) == {1}
        told = Counter(ref for verb, ref in painter.asked if verb == "cancel")
        assert len(told) == len(painter.taken) == step

    async def test_never_pays_a_provider_twice_that_cannot_tell_what_it_took(
        self, studio: Studio, fuse: Fuse, painter: Painter
    ) -> None:
        painter.forgets = True
        ends: set[RenderState] = set()

        for step in count(1):
            user = f"user-{step}"
            job_id, crashed = await rendered_with_a_crash(studio, fuse, user, step)
            job = await studio.job(job_id)
            ends.add(job.state)
            if job.state is RenderState.SUCCEEDED:
                await assert_delivered_once(studio, job_id, user)
            else:
                (attempt,) = await studio.attempts(job_id)
                assert job.error_code == "provider_outcome_uncertain"
                assert await hold_of(studio, job_id) is HoldStatus.VOIDED
                assert (attempt.cost_uncertain, await results(studio, user)) == (True, [])
            if not crashed:
                break

        assert ends == {RenderState.SUCCEEDED, RenderState.FAILED}
        assert set(painter.submissions.values()) == {1}
        assert len(painter.submissions) <= step
