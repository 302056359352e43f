"""Celery's workers, as processes: woken by a bell, called by name, and in need of no broker."""

import os
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from pathlib import Path
from uuid import UUID

import pytest
from celery import Celery  # type: ignore[import-untyped]  # it brings no types
from sqlalchemy import select

from medici.jobs.models import Job, State
from medici.jobs.presence import seconds_since_seen
from medici.jobs.tasks import SWEEP
from medici.kernel.db.database import Database
from medici.worker.messages import Bells
from medici.worker.relay import relaying
from tests.faults.deployments import CELERY
from tests.faults.processes import MediciProcess, free_port
from tests.jobs.waiting import until, until_true
from tests.worker.brokers import Broker
from tests.worker.workers import (
    DRAINING,
    HOUR_SECONDS,
    celery_worker,
    in_state,
    put,
    until_done,
    until_idle,
)


class TestWorker:
    async def test_hears_the_bell_of_another_process(
        self, database: Database, database_url: str, broker: Broker, tmp_path: Path
    ) -> None:
        async with celery_worker(
            database_url, broker.url, tmp_path, poll_seconds=HOUR_SECONDS
        ) as worker:
            broker.celery().send_task(SWEEP.name)  # behind the bells for the first round
            await until_true(lambda: b"job.called" in worker.said)
            await until_idle(database)

            async with relaying(database, Bells(broker.celery()).ring):
                await until_done(database, await put(database))

    async def test_puts_in_what_is_called_by_name(
        self, database: Database, database_url: str, broker: Broker, tmp_path: Path
    ) -> None:
        async with celery_worker(
            database_url, broker.url, tmp_path, poll_seconds=HOUR_SECONDS
        ) as worker:
            await until_idle(database)
            before = await _called(database)
            unfit = _foreign(broker).send_task(SWEEP.name, kwargs={"limit": 1}, queue="default")
            await until_true(lambda: unfit.id.encode() in worker.said)
            assert await _called(database) == before

            assert await _call(broker, SWEEP.name, "--args", "[]", "--kwargs", "{}") == 0

            async def put_in() -> bool:
                return len(await _called(database)) == len(before) + 1

            await until(put_in)
            await until_done(database, await _called(database))

        assert b"UnfitArguments" in worker.said
        assert b"missing or unknown: limit" in worker.said
        assert b"job.called" in worker.said

    async def test_loses_nothing_with_its_broker(
        self, database: Database, database_url: str, broker: Broker, tmp_path: Path
    ) -> None:
        async with (
            celery_worker(database_url, broker.url, tmp_path) as worker,
            relaying(database, Bells(broker.celery()).ring),
        ):
            jobs = await put(database, 10)
            broker.empty()
            jobs += await put(database, 10)
            await until_done(database, jobs)
            broker.freeze()
            await until_done(database, await put(database, 10))
            broker.kill()
            await until_done(database, await put(database, 10))
            broker.restart()
            broker.celery().send_task(SWEEP.name)
            await until_true(lambda: b"job.called" in worker.said, within=30)

            assert await worker.terminate() == 0
        assert b"Traceback" not in worker.said

    async def test_needs_no_broker(
        self, database: Database, database_url: str, tmp_path: Path
    ) -> None:
        nowhere = f"redis://127.0.0.1:{free_port()}/0"

        async with celery_worker(database_url, nowhere, tmp_path, ready_line=DRAINING) as worker:
            await until_done(database, await put(database, 10))
            code = await worker.terminate()

        assert code == 0

    async def test_hands_back_or_finishes_when_it_is_told_to_stop(
        self, database: Database, database_url: str, broker: Broker, tmp_path: Path
    ) -> None:
        jobs = await put(database, 300)

        async with celery_worker(database_url, broker.url, tmp_path, ready_line=DRAINING) as worker:
            code = await worker.terminate()
            unfinished = await in_state(database, jobs, State.READY)
            finished = await in_state(database, jobs, State.DONE)

        assert code == 0
        assert unfinished + finished == 300
        async with database.reading() as session:
            assert await seconds_since_seen(session) is None  # it has said goodbye
        assert b"Traceback" not in worker.said

    @pytest.mark.parametrize("template", ["sqlite"], indirect=True)
    async def test_stops_although_its_broker_is_silent(
        self, database: Database, database_url: str, broker: Broker, tmp_path: Path
    ) -> None:
        async with celery_worker(database_url, broker.url, tmp_path) as worker:
            broker.freeze()
            code = await worker.terminate()
            broker.thaw()

        assert code == 0
        assert b"worker.stopped" in worker.said

    async def test_serves_the_queues_that_are_named(
        self, database: Database, database_url: str, broker: Broker, tmp_path: Path
    ) -> None:
        async with celery_worker(
            database_url, broker.url, tmp_path, queues=["polling"], ready_line=DRAINING
        ) as worker:
            assert b'"queues":["polling_queue"]' in worker.said

    async def test_ends_where_there_is_no_database(self, broker: Broker, tmp_path: Path) -> None:
        nowhere = f"postgresql://nobody:none@127.0.0.1:{free_port()}/none"

        with pytest.raises(AssertionError, match="Connection refused"):
            async with celery_worker(nowhere, broker.url, tmp_path):
                pass


class TestBeat:
    async def test_leaves_no_file_behind(self, broker: Broker, tmp_path: Path) -> None:
        settings = {"CELERY_BROKER_URL": broker.url, "MEDICI_DATA_DIR": str(tmp_path)}
        beat = MediciProcess((*CELERY, "beat"), ready_line=b"beat: Starting", settings=settings)

        await beat.start()
        await beat.up()
        code = await beat.terminate()

        assert code == 0
        assert os.listdir(tmp_path) == []  # where it ran


async def _called(database: Database) -> list[UUID]:
    """Return the jobs that no schedule put in."""
    async with database.reading() as session:
        called = select(Job.id).where(Job.kind == SWEEP.name, Job.key.is_(None))
        return list((await session.execute(called)).scalars())


def _foreign(broker: Broker) -> Celery:
    """Return an application that knows nothing of Medici."""
    return Celery("foreign", broker=broker.url)


async def _call(broker: Broker, *arguments: str) -> int:
    whole = (*CELERY, "-b", broker.url, "call", *arguments)
    process = await create_subprocess_exec(sys.executable, *whole, stdout=PIPE)
    await process.communicate()
    assert process.returncode is not None
    return process.returncode
