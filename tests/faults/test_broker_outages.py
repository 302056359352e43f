"""A broker that is away, silent, emptied or restarted is felt by no customer."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import text

from medici.kernel.db.database import Database
from tests.faults.accounts import books, settled
from tests.faults.deployments import Deployment, Layout, deployed
from tests.faults.journal import Journal
from tests.faults.load import Habits, under_load
from tests.faults.phases import Phases
from tests.worker.brokers import Broker

SECONDS = float(os.environ.get("MEDICI_OUTAGE_SECONDS") or 6.0)  # of each outage; a night has 60
CALM_SECONDS = SECONDS / 2
# Beside other tests nothing is steady; still nobody may wait as long as a silent broker is given.
TOLERATED_SECONDS = 4.0 if SECONDS < 60 else 0.0
CALM = "calm"
# Without repainting: a second of one core for each would be what is measured.
HABITS = Habits(per_second=10.0, repainted=0.0)


@pytest.mark.parametrize("template", ["postgresql"], indirect=True)
class TestOutagesOfTheBroker:
    @pytest.mark.timeout(150 + 12 * SECONDS)
    async def test_lose_nothing_and_keep_nobody_waiting(
        self,
        *,
        database: Database,
        database_url: str,
        broker: Broker,
        tmp_path: Path,
        journal: Journal,
        draw: Random,
    ) -> None:
        layout, phases = Layout(workers=2, broker_url=broker.url), Phases()
        async with deployed(database_url, tmp_path / "data", layout) as deployment:
            async with under_load(deployment, journal, draw, HABITS):
                for name, outage in OUTAGES.items():
                    with phases.named(CALM):
                        await asyncio.sleep(CALM_SECONDS)
                    with phases.named(name):
                        await outage(broker)
            await settled(database, within=60)
            told = await books(database, journal, deployment)
            await _is_in_order(deployment)

        service = phases.service(told)
        print(*(f"{name}: {one}" for name, one in service.items()), sep="\n")  # noqa: T201
        assert told.discrepancies() == []
        assert set(told.answers) <= {0, 200, 409, 429}  # 0: a busy machine was slow to connect
        assert set(told.states) <= {"succeeded", "canceled"}
        allowed = max(2 * service[CALM].answers_p95 + 0.1, TOLERATED_SECONDS)
        for name in OUTAGES:
            assert service[name].answers_p95 <= allowed, name
            assert service[name].delivered > SECONDS, name
        assert await _deadlocks(database) == 0


async def _gone(broker: Broker) -> None:
    broker.kill()
    await asyncio.sleep(SECONDS)
    await asyncio.to_thread(broker.restart)


async def _silent(broker: Broker) -> None:
    broker.freeze()
    await asyncio.sleep(SECONDS)
    broker.thaw()


async def _emptied(broker: Broker) -> None:
    for _ in range(20):
        await asyncio.to_thread(broker.empty)
        await asyncio.sleep(SECONDS / 20)


async def _restarted(broker: Broker) -> None:
    for _ in range(3):
        broker.kill()
        await asyncio.to_thread(broker.restart)
        await asyncio.sleep(SECONDS / 3)


async def _gone_for_good(broker: Broker) -> None:
    broker.kill()
    await asyncio.sleep(SECONDS)


OUTAGES: dict[str, Callable[[Broker], Awaitable[None]]] = {
    "gone": _gone,
    "silent": _silent,
    "emptied": _emptied,
    "restarted": _restarted,
    "gone for good": _gone_for_good,
}


async def _is_in_order(deployment: Deployment) -> None:
    """See that the server told of its broker, and that every process still stops as it should."""
    (server,) = deployment.servers
    ended = [process.said.decode() for process in deployment.processes if process.has_ended]
    assert not ended, "".join(text[-4000:] for text in ended)
    assert b"relay.broker_away" in server.said
    assert b"relay.broker_back" in server.said
    codes = await asyncio.gather(*(process.terminate() for process in deployment.processes))
    assert codes == [0] * len(codes)


async def _deadlocks(database: Database) -> int:
    """Count what PostgreSQL had to cut apart; each costs somebody a second and a 503."""
    asked = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    async with database.reading() as session:
        return int((await session.execute(asked)).scalar_one())
