"""Lists of the catalogue: plain lists, as its clients know them, with the next page in a header."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from fastapi import Response
from sqlalchemy import Select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from medici.doors.http.paging import InvalidCursor, decode_cursor, encode_cursor
from medici.kernel.ids import parse_id

Row = TypeVar("Row")

NEXT_CURSOR = "X-Next-Cursor"


async def listed(
    session: AsyncSession,
    wanted: Select[Row],
    *order: InstrumentedAttribute[Any],
    cursor: str | None,
    limit: int,
    response: Response,
) -> Sequence[Row]:
    """Return a page of what is selected, which is ordered by ``order``, and name the next one."""
    if cursor is not None:
        places = decode_cursor(cursor, *(column.type.python_type for column in order))
        wanted = wanted.where(tuple_(*order) > tuple_(*places))
    rows = (await session.scalars(wanted.limit(limit + 1))).all()
    if len(rows) > limit:
        last = rows[limit - 1]
        response.headers[NEXT_CURSOR] = encode_cursor(*(getattr(last, each.key) for each in order))
    return rows[:limit]


def id_in(cursor: str | None) -> UUID | None:
    """Return the id that a page begins below; None for the first page.

    Raises:
        InvalidCursor: it holds anything else.
    """
    if cursor is None:
        return None
    (last,) = decode_cursor(cursor, str)
    found = parse_id(str(last))
    if found is None:
        raise InvalidCursor
    return found
