"""A table with a column of every type that ours have, and rows for it."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias, cast
from uuid import UUID

from sqlalchemy import MetaData, String, Table, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from medici.kernel.db.base import NAMING, Base, enum_column
from medici.kernel.db.database import Database
from medici.kernel.db.driver.query import Query
from medici.kernel.ids import new_id

MOMENT = datetime(2026, 11, 24, 12, 30, 15, 123456, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Apart(DeclarativeBase):
    """Tables of these tests, which no migration makes."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = Base.type_annotation_map


class Sample(Apart):
    __tablename__ = "samples"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    word: Mapped[str | None] = mapped_column(unique=True)
    number: Mapped[int | None]
    flag: Mapped[bool | None]
    colour: Mapped[Colour | None] = mapped_column(enum_column(Colour))
    moment: Mapped[datetime | None]
    other: Mapped[UUID | None]
    extra: Mapped[dict[str, Any] | None]
    names: Mapped[list[str] | None]
    code: Mapped[str | None] = mapped_column(String(8))


TABLE = cast("Table", Sample.__table__)
ALL = Query(select(TABLE).order_by(Sample.number, Sample.id))
Row: TypeAlias = tuple[object, ...]


def sample(
    *,
    id: UUID | None = None,
    word: str | None = None,
    number: int | None = None,
    flag: bool | None = None,
    colour: Colour | None = None,
    moment: datetime | None = None,
    other: UUID | None = None,
    extra: dict[str, Any] | None = None,
    names: list[str] | None = None,
    code: str | None = None,
) -> Row:
    """Give a row, in the order of the table's columns."""
    return (id or new_id(), word, number, flag, colour, moment, other, extra, names, code)


async def make_table(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.run_sync(Apart.metadata.create_all)


async def stored(database: Database) -> list[Row]:
    """Return all rows, as they are read on the driver."""
    return [tuple(row) for row in await database.look(ALL.rows)]
