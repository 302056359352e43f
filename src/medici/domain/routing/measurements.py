"""What is measured of providers: written by a job, read at each choice that compares."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.routing.models import ProviderMeasurement
from medici.domain.routing.outlook import Measured, Outlook, Work
from medici.kernel.db.driver.query import Query
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.db.inserts import insert_into

ALL = select(ProviderMeasurement)
MEASUREMENTS = Query(ALL)
KEPT = timedelta(seconds=1)
_kept: WeakKeyDictionary[Engine, tuple[datetime, Outlook]] = WeakKeyDictionary()


async def outlook_now(driver: Driver, *, now: datetime) -> Outlook:
    """Return what is expected of providers, at most a second old."""
    read_at, outlook = _kept.get(driver.engine, (None, None))
    if outlook is None or read_at is None or not read_at <= now < read_at + KEPT:
        rows = await MEASUREMENTS.rows(driver)
        outlook = Outlook(day=now.date(), measured={_work(row): _measured(row) for row in rows})
        _kept[driver.engine] = (now, outlook)
    return outlook


async def outlook(session: AsyncSession, *, now: datetime) -> Outlook:
    """Return what is expected of providers, as stored now."""
    rows = await session.scalars(ALL)
    return Outlook(day=now.date(), measured={_work(row): _measured(row) for row in rows})


async def note_measurements(
    session: AsyncSession, measured: Mapping[Work, Measured], *, now: datetime
) -> None:
    """Put new measurements in the place of older ones of the same kind."""
    if not measured:
        return
    rows = [
        {
            **work._asdict(),
            "samples": each.samples,
            "p50_ms": each.p50_ms,
            "p95_ms": each.p95_ms,
            "cost_micros": each.cost_micros,
            "measured_at": now,
        }
        for work, each in sorted(measured.items())
    ]
    write = insert_into(session, ProviderMeasurement).values(rows)
    fresh = ("samples", "p50_ms", "p95_ms", "cost_micros", "measured_at")
    await session.execute(
        write.on_conflict_do_update(
            index_elements=list(Work._fields),
            set_={name: write.excluded[name] for name in fresh},
        )
    )


def _work(row: ProviderMeasurement) -> Work:
    return Work(row.provider, row.model, row.operation, row.tier)


def _measured(row: ProviderMeasurement) -> Measured:
    return Measured(
        samples=row.samples, p50_ms=row.p50_ms, p95_ms=row.p95_ms, cost_micros=row.cost_micros
    )
