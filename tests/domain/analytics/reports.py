"""Facts of tests, and rolling them up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from medici.domain.analytics import queries, tasks
from medici.domain.analytics.queries import Cell
from medici.domain.analytics.spans import Window
from medici.domain.analytics.work import ROLLUP
from medici.domain.events.facts import EventName, Fact
from medici.domain.events.service import record
from medici.jobs.handlers import Registry
from medici.jobs.inline import run_due
from medici.jobs.outcomes import Done
from medici.jobs.queue import enqueue
from medici.kernel.db.database import Database

NOW = datetime(2026, 11, 24, 12, 34, 56, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
REGISTRY = Registry.of(tasks)
OPENED = Fact(name="app_opened", user_id="ada", platform="ios", trusted=False)
RENDERED = Fact(
    name=EventName.RENDER_STATUS_UPDATED,
    user_id="ada",
    platform="ios",
    provider="fal",
    model="flux",
    operation="restyle",
    tier="preview",
    status="completed",
    latency_ms=4_000,
    cost_micros=25_000,
    credits=1,
    plan_id="pro",
)


@dataclass(frozen=True)
class Opened:
    """As much of a process's resources as the rollup asks for."""

    database: Database


async def tell(database: Database, *facts: Fact, at: datetime = NOW) -> None:
    """Record facts; those without a time happened at ``at``."""
    async with database.transaction() as session:
        for fact in facts:
            await record(session, fact, now=at)


def ago(fact: Fact, by: timedelta, **changes: object) -> Fact:
    """Give the same fact as it happened some time before now."""
    return replace(fact, occurred_at=NOW - by, **changes)  # type: ignore[arg-type]  # by name


async def roll(database: Database, *, now: datetime = NOW) -> None:
    """Have the rollup's job asked for and done."""
    async with database.transaction() as session:
        await enqueue(session, ROLLUP, now=now, args={})
    (ran,) = await run_due(database, REGISTRY, Opened(database), now)
    assert ran.outcome == Done(), ran


async def added_up(database: Database, window: Window, *, raw: bool = False) -> Sequence[Cell]:
    """Add a window up, from the rollup or from raw facts alone, in one order."""
    async with database.reading() as session:
        rolled_to = None if raw else (await queries.freshness(session)).rolled_to
        return sorted(await queries.cells(session, window, rolled_to), key=repr)
