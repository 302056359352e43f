"""The relay gathers rings, and takes no harm from a broker that is away."""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from structlog.testing import capture_logs

from medici.jobs.bell import ring, ring_after_commit
from medici.jobs.kinds import Queue
from medici.kernel.db.database import Database
from medici.worker.relay import relaying
from tests.jobs.waiting import until_true
from tests.jobs.work import Refused
from tests.worker.workers import put


@dataclass
class Ears:
    """A broker that notes what it is told, takes its time, and can be away."""

    heard: list[frozenset[Queue]] = field(default_factory=list)
    told: int = 0  # how often somebody began to tell it something
    refused: int = 0
    away: bool = False
    open: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.open.set()

    def publish(self, queues: Collection[Queue]) -> None:
        self.told += 1
        self.open.wait()
        if self.away:
            self.refused += 1
            raise ConnectionRefusedError("nobody there")
        self.heard.append(frozenset(queues))

    @contextmanager
    def silent(self) -> Iterator[None]:
        self.open.clear()
        try:
            yield
        finally:
            self.open.set()


async def in_time(condition: Callable[[], bool]) -> None:
    """Wait for a condition, on a machine that has much else to do."""
    await until_true(condition, within=60)


class TestRelay:
    async def test_passes_on_the_queues_of_a_commit_at_once(self, database: Database) -> None:
        ears = Ears()

        async with relaying(database, ears.publish):
            async with database.transaction() as session:
                ring_after_commit(session, Queue.DEFAULT)
                ring_after_commit(session, Queue.POLLING)
                ring_after_commit(session, Queue.DEFAULT)
            await in_time(lambda: ears.heard != [])

        assert ears.heard == [{Queue.DEFAULT, Queue.POLLING}]

    async def test_says_nothing_of_what_was_rolled_back(self, database: Database) -> None:
        ears = Ears()

        async with relaying(database, ears.publish):
            with suppress(Refused):
                async with database.transaction() as session:
                    ring_after_commit(session, Queue.POLLING)
                    raise Refused("never")
            ring(database.engine.sync_engine, [Queue.IMAGE])
            await in_time(lambda: ears.heard != [])

        assert ears.heard == [{Queue.IMAGE}]

    async def test_makes_one_of_what_rings_meanwhile(self, database: Database) -> None:
        ears, engine = Ears(), database.engine.sync_engine

        async with relaying(database, ears.publish):
            with ears.silent():
                ring(engine, [Queue.DEFAULT])
                await in_time(lambda: ears.told == 1)
                await put(database, 3)
                for _ in range(100):
                    ring(engine, [Queue.DEFAULT])
                    ring(engine, [Queue.POLLING])
            await in_time(lambda: len(ears.heard) == 2)

        assert ears.heard == [{Queue.DEFAULT}, {Queue.DEFAULT, Queue.POLLING}]

    async def test_keeps_nobody_waiting(self, database: Database) -> None:
        ears = Ears()

        async with relaying(database, ears.publish):
            with ears.silent():
                ring(database.engine.sync_engine, [Queue.DEFAULT])
                await in_time(lambda: ears.told == 1)
                jobs = await put(database, 3)
                heard = list(ears.heard)

        assert (len(jobs), heard) == (3, [])

    async def test_tells_of_an_absent_broker_once_and_comes_back(self, database: Database) -> None:
        ears = Ears(away=True)

        with capture_logs() as logs:
            async with relaying(database, ears.publish):
                ring(database.engine.sync_engine, [Queue.IMAGE])
                await in_time(lambda: ears.refused > 2)
                ears.away = False
                await in_time(lambda: any(log["event"] == "relay.broker_back" for log in logs))

        said = [log for log in logs if log["event"].startswith("relay.")]
        assert ears.heard == [{Queue.IMAGE}]
        assert [log["event"] for log in said] == ["relay.broker_away", "relay.broker_back"]
        assert said[0]["reason"] == "nobody there"
