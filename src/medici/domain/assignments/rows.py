"""Rows of assignments without a session behind them, and the statements that write them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias, cast

from sqlalchemy import Column, ColumnElement, Float, Table, select, type_coerce
from sqlalchemy.types import NullType

from medici.domain.assignments.models import Assignment, Experiment, ExperimentRuntime, Reason
from medici.kernel.db.driver.bulk import BulkStatement
from medici.kernel.db.driver.query import Query, any_of
from medici.kernel.db.driver.transaction import Driver

Key: TypeAlias = tuple[str, str]  # experiment and user


class AssignmentRow(NamedTuple):
    """An assignment, column for column: a tuple, because that is what is read and written."""

    experiment_id: str
    user_id: str
    variant_id: str
    bucket: float
    rollout_bucket: float
    phase: int
    bucket_version: int
    assigned_at: datetime
    first_exposed_at: datetime | None
    enrolled: bool
    censored_at: datetime | None
    multiply_exposed: bool
    reason: Reason
    platform: str | None

    @property
    def key(self) -> Key:
        return self.experiment_id, self.user_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """From when on a row's outcomes count, and whether its user has seen another variant, too."""

    row: AssignmentRow
    first_exposed_at: datetime | None = None
    multiply_exposed: bool = False

    @property
    def says_anything(self) -> bool:
        return self.first_exposed_at is not None or self.multiply_exposed


def as_read(column: Column[Any]) -> ColumnElement[Any]:
    """Return a column for a select on the driver, which gives floats as they are.

    SQLAlchemy's own way with floats wants to hear from PostgreSQL of what type each is.
    """
    if not isinstance(column.type, Float):
        return column
    return type_coerce(column, NullType()).label(column.name)


TABLE = cast("Table", Assignment.__table__)
COLUMNS = AssignmentRow._fields
OF_USERS = Query(
    select(*(as_read(TABLE.c[name]) for name in COLUMNS)).where(
        any_of(Assignment.experiment_id, "experiments"),
        any_of(Assignment.user_id, "users"),
    )
)
# A row is written only as the set-up that it was drawn by still stands, and in place of another
# only if that is of an older draw. In one order everywhere, so that two batches cannot lock each
# other out.
INSERT = BulkStatement(
    f"INSERT INTO experiment_assignments ({', '.join(COLUMNS)}) "  # noqa: S608 - our names
    f"SELECT {', '.join(f'given.{name}' for name in COLUMNS)} "
    "FROM (SELECT DISTINCT * FROM {rows}) AS given "
    "JOIN experiments ON experiments.experiment_id = given.experiment_id "
    "AND experiments.revision = given.revision "
    "LEFT JOIN experiment_runtime ON experiment_runtime.experiment_id = given.experiment_id "
    "WHERE coalesce(experiment_runtime.rollout_percent, 0) = given.rollout_percent "
    "ORDER BY given.experiment_id, given.user_id "
    "ON CONFLICT (experiment_id, user_id) DO UPDATE SET "
    f"{', '.join(f'{name} = excluded.{name}' for name in COLUMNS[2:])} "
    "WHERE experiment_assignments.bucket_version < excluded.bucket_version "
    "RETURNING experiment_id, user_id",
    {
        **{name: TABLE.c[name] for name in COLUMNS},
        "revision": cast("Table", Experiment.__table__).c.revision,
        "rollout_percent": cast("Table", ExperimentRuntime.__table__).c.rollout_percent,
    },
)
SEE = BulkStatement(
    "UPDATE experiment_assignments SET first_exposed_at = CASE "
    "WHEN given.first_exposed_at < experiment_assignments.first_exposed_at "
    "OR experiment_assignments.first_exposed_at IS NULL THEN given.first_exposed_at "
    "ELSE experiment_assignments.first_exposed_at END, "
    "multiply_exposed = experiment_assignments.multiply_exposed OR given.multiply_exposed "
    "FROM {rows} WHERE experiment_assignments.experiment_id = given.experiment_id "
    "AND experiment_assignments.user_id = given.user_id",
    {
        name: TABLE.c[name]
        for name in ("experiment_id", "user_id", "first_exposed_at", "multiply_exposed")
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """A row to be written, and the set-up that it was drawn by."""

    row: AssignmentRow
    revision: int
    rollout_percent: int


async def rows_of(
    driver: Driver, experiment_ids: Collection[str], user_ids: Collection[str]
) -> dict[Key, AssignmentRow]:
    """Return the assignments of users in experiments, of any draw."""
    found = await OF_USERS.rows(driver, experiments=experiment_ids, users=user_ids)
    rows = map(AssignmentRow._make, found)
    return {row.key: row for row in rows}


async def write_new(driver: Driver, rows: Sequence[NewRow]) -> set[Key]:
    """Write rows; return the keys of those that nobody else had written before."""
    cells = [(*each.row, each.revision, each.rollout_percent) for each in rows]
    # Filled up with repetitions, which DISTINCT drops: SQLite's statements hold powers of two.
    cells += cells[-1:] * ((1 << (len(cells) - 1).bit_length()) - len(cells)) if cells else []
    return {(experiment_id, user_id) for experiment_id, user_id in await INSERT.run(driver, cells)}


async def write_seen(driver: Driver, seen: Sequence[Seen]) -> None:
    """Note what users have seen; the earliest first exposure stays."""
    await SEE.run(
        driver, [(*each.row.key, each.first_exposed_at, each.multiply_exposed) for each in seen]
    )
