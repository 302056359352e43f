"""Counting what an answer asks of the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from medici.kernel.db.database import Database


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Collect the SQL that sessions run meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
