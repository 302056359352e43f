"""Noting what users say to have seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from sqlalchemy import Table

from medici.domain.assignments.exposures import Refusal, Seeing, Sighting, judge
from medici.domain.assignments.models import Exposure
from medici.domain.assignments.queries import definitions
from medici.domain.assignments.rows import Key, Seen, rows_of, write_seen
from medici.kernel.db.driver.bulk import BulkStatement
from medici.kernel.db.driver.transaction import Driver

TABLE = cast("Table", Exposure.__table__)
COLUMNS = tuple(column.name for column in TABLE.columns)
# WHERE true, because SQLite would take what follows FROM for the condition of a join.
INSERT = BulkStatement(
    f"INSERT INTO experiment_exposures ({', '.join(COLUMNS)}) "  # noqa: S608 - our names
    f"SELECT {', '.join(f'given.{name}' for name in COLUMNS)} FROM {{rows}} WHERE true "
    "ORDER BY given.experiment_id, given.variant_id, given.day "
    "ON CONFLICT DO NOTHING RETURNING variant_id",
    {name: TABLE.c[name] for name in COLUMNS},
)
ANTEDATE = BulkStatement(
    "UPDATE experiment_exposures SET occurred_at = given.occurred_at FROM {rows} "  # noqa: S608
    "WHERE given.occurred_at < experiment_exposures.occurred_at AND "
    + " AND ".join(f"experiment_exposures.{name} = given.{name}" for name in COLUMNS[:-1]),
    {name: TABLE.c[name] for name in COLUMNS},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of sightings; ``rejected`` has the place of each that was not taken."""

    accepted: int
    duplicates: int
    rejected: Mapping[int, Refusal]


async def expose(
    driver: Driver, user_id: str, sightings: Sequence[Sighting], *, now: datetime
) -> Taken:
    """Note what a user has seen; the same variant once a day, the earliest time of it.

    The user's outcomes count from the earliest exposure on. Who has seen another variant than
    their own is compared no longer.
    """
    experiment_ids = {each.experiment_id for each in sightings}
    known = await definitions(driver, experiment_ids)
    rows = await rows_of(driver, experiment_ids, {user_id})
    judged = [
        judge(each, known.get(each.experiment_id), rows.get((each.experiment_id, user_id)), now=now)
        for each in sightings
    ]
    seeings = [each for each in judged if isinstance(each, Seeing)]
    accepted = await _log(driver, seeings)
    await write_seen(driver, list(_seen(seeings).values()))
    return Taken(
        accepted=accepted,
        duplicates=len(seeings) - accepted,
        rejected={place: each for place, each in enumerate(judged) if isinstance(each, Refusal)},
    )


async def _log(driver: Driver, seeings: Sequence[Seeing]) -> int:
    """Write each variant that was seen on a day; return how many of them are new."""
    latest_first = sorted(seeings, key=lambda each: each.at, reverse=True)
    earliest = {
        (*each.row.key, each.variant_id, each.at.astimezone(UTC).date()): each.at
        for each in latest_first
    }
    rows = [(*key, at) for key, at in earliest.items()]
    new = len(await INSERT.run(driver, rows))
    if new < len(rows):
        await ANTEDATE.run(driver, rows)
    return new


def _seen(seeings: Sequence[Seeing]) -> dict[Key, Seen]:
    """Put together what was seen in each experiment."""
    seen: dict[Key, Seen] = {}
    for each in sorted(seeings, key=lambda each: each.at):
        before = seen.get(each.row.key, Seen(row=each.row))
        first = each.at if each.counts else None
        seen[each.row.key] = Seen(
            row=each.row,
            first_exposed_at=before.first_exposed_at or first,
            multiply_exposed=before.multiply_exposed or each.crosses,
        )
    return {key: each for key, each in seen.items() if each.says_anything}
