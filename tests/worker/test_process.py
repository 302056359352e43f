"""What a server does about background work that Celery's workers are to do."""

from pathlib import Path

from medici.bootstrap import opened
from medici.jobs.kinds import Queue
from medici.jobs.models import State
from medici.kernel.db.database import Database
from medici.settings import Settings
from medici.worker import background
from tests.jobs.waiting import until_true
from tests.worker.brokers import Broker
from tests.worker.workers import in_state, put


def settings(database_url: str, broker: Broker, directory: Path) -> Settings:
    return Settings(
        _env_file=None,
        database_url=database_url,
        medici_data_dir=directory,
        medici_runner="celery",
        celery_broker_url=broker.url,
    )


class TestBackground:
    async def test_rings_for_celery(
        self, database: Database, database_url: str, broker: Broker, tmp_path: Path
    ) -> None:
        async with (
            opened(settings(database_url, broker, tmp_path)) as resources,
            background(resources),
        ):
            jobs = await put(resources.database)
            await until_true(lambda: broker.waiting(Queue.DEFAULT) == 1)

        assert await in_state(database, jobs, State.READY) == 1

    async def test_takes_work_without_a_broker(
        self, database: Database, database_url: str, broker: Broker, tmp_path: Path
    ) -> None:
        broker.kill()

        async with (
            opened(settings(database_url, broker, tmp_path)) as resources,
            background(resources),
        ):
            jobs = await put(resources.database, 3)

        assert await in_state(database, jobs, State.READY) == 3
