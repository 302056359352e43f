"""How long the daily reset of 100,000 users takes, each with a rest of yesterday's credits."""

import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from tests.faults.deployments import Layout
from tests.support.databases import opened

from bench.figures import Figure
from bench.places import Place
from medici.domain.billing.resets import runs as resets
from medici.domain.billing.resets.queries import run_by_id
from medici.domain.plans.service import install_defaults
from medici.kernel.db.database import Database

USERS = 100_000
TODAY = datetime(2026, 11, 25, tzinfo=UTC)
YESTERDAY = TODAY - timedelta(days=1)
NUMBERS = (
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :many)"
)
ENTITLE = text(
    f"""
    INSERT INTO entitlements (owner_kind, owner_id, plan_id, status, source, details, updated_at)
    {NUMBERS} SELECT 'user', 'user-' || n, 'free', 'inactive', 'manual', '{{}}', :at FROM numbers
    """
)


async def measure(place: Place) -> list[Figure]:
    """Give everybody yesterday's credits, then have the day turn."""
    async with (
        place.served(Layout(embedded=False)) as deployment,
        opened(deployment.database_url) as database,
    ):
        await _entitle(database)
        await _reset(database, YESTERDAY)
        began_at = time.perf_counter()
        updated = await _reset(database, TODAY)
        took = time.perf_counter() - began_at
    if updated != USERS:
        raise RuntimeError(f"{updated} of {USERS} users were given credits")
    return [
        Figure(
            what=f"daily reset of {USERS:,} users",
            where=place.name,
            unit="s",
            rounds=[took],
            promise="60 s" if place.name == "postgresql" else "",
        ),
        Figure(what="  of them", where=place.name, unit="/s", rounds=[USERS / took]),
    ]


async def _entitle(database: Database) -> None:
    async with database.transaction() as session:
        await install_defaults(session, now=YESTERDAY)
        await session.execute(ENTITLE, {"many": USERS, "at": YESTERDAY.replace(tzinfo=None)})


async def _reset(database: Database, at: datetime) -> int:
    """Run a reset to its end; return how many balances it changed."""
    async with database.transaction() as session:
        run_id = await resets.begin(session, actor="bench", dry_run=False, now=at)
    await resets.carry_on(database.transaction, run_id, clock=lambda: at)
    async with database.reading() as session:
        return (await run_by_id(session, run_id)).balances_updated
