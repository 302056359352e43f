"""The bell of a process: whoever committed work wakes the workers on the same database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncSession

from medici.kernel.db.database import after_commit

RUNG = "medici_jobs_rung"
_listeners: WeakKeyDictionary[Engine, set[Callable[[], None]]] = WeakKeyDictionary()


def ring(engine: Engine) -> None:
    """Wake every worker of this process that works on this database."""
    for wake in tuple(_listeners.get(engine, ())):
        wake()


def ring_after_commit(session: AsyncSession) -> None:
    """Ring once the session's transaction has committed, and once only."""
    if session.info.setdefault(RUNG, False):
        return
    session.info[RUNG] = True
    engine = session.get_bind().engine
    after_commit(session, lambda: ring(engine))


@contextmanager
def listening(engine: Engine, wake: Callable[[], None]) -> Iterator[None]:
    """Have a function called at each ring, until the block ends."""
    waiting = _listeners.setdefault(engine, set())
    waiting.add(wake)
    try:
        yield
    finally:
        waiting.discard(wake)
