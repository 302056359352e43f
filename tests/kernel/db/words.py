"""Work on a driver that tests can see the effect of: it writes words."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from sqlalchemy import select

from medici.kernel.db.database import Database
from medici.kernel.db.driver.bulk import BulkInsert
from medici.kernel.db.driver.query import Query
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.ids import new_id
from tests.kernel.db.samples import TABLE, Sample

ON_POSTGRESQL = pytest.mark.parametrize("template", ["postgresql"], indirect=True)
ON_SQLITE = pytest.mark.parametrize("template", ["sqlite"], indirect=True)

INSERT = BulkInsert(TABLE, ("id", "word"))
WORDS = Query(select(Sample.word).order_by(Sample.word))


def says(*words: str) -> Callable[[Driver], Coroutine[Any, Any, None]]:
    """Give work that writes words, of which none may be there twice."""
    rows = [(new_id(), word) for word in words]
    return lambda driver: INSERT.write(driver, rows)


async def read(driver: Driver) -> list[str]:
    return [row.word for row in await WORDS.rows(driver)]


async def words(database: Database) -> list[str]:
    """Return the words that were committed."""
    return await database.look(read)
