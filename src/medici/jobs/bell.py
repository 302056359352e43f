"""The bell of a process: whoever committed work wakes the workers on the same database."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeAlias
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncSession

from medici.jobs.kinds import Queue
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.db.following import after_commit

RUNG = "medici_jobs_rung"
Listener: TypeAlias = Callable[[frozenset[Queue]], None]
_listeners: WeakKeyDictionary[Engine, set[Listener]] = WeakKeyDictionary()


def ring(engine: Engine, queues: Collection[Queue] = tuple(Queue)) -> None:
    """Tell every listener of this process on this database that there is work in these queues."""
    rung = frozenset(queues)
    for hear in tuple(_listeners.get(engine, ())):
        hear(rung)


def ring_after_commit(session: AsyncSession, queue: Queue) -> None:
    """Ring once the session's transaction has committed: once, for all its queues together."""
    if RUNG in session.info:
        session.info[RUNG].add(queue)
        return
    rung = session.info[RUNG] = {queue}
    engine = session.get_bind().engine
    after_commit(session, lambda: ring(engine, rung))


def ring_after(driver: Driver, queue: Queue) -> None:
    """Ring once the driver's transaction has committed."""
    driver.after_commit(partial(ring, driver.engine, {queue}))


@contextmanager
def listening(engine: Engine, hear: Listener) -> Iterator[None]:
    """Have a function told the queues of each ring, until the block ends."""
    present = _listeners.setdefault(engine, set())
    present.add(hear)
    try:
        yield
    finally:
        present.discard(hear)
