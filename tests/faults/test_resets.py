"""The daily reset, killed in the middle and asked for from everywhere at once: each user once."""

import asyncio
import sys
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from sqlalchemy import insert, select

from medici.adapters.payments.news import Source
from medici.domain.billing.models import EntitlementRow, EntitlementStatus
from medici.domain.billing.resets import queries as resets_queries
from medici.domain.billing.resets import runs as resets
from medici.domain.billing.resets.models import ResetRun, RunState
from medici.domain.identity.owner import OwnerKind
from medici.domain.ledger.audit import audit
from medici.domain.ledger.models import Grant, GrantSource, Wallet
from medici.domain.plans.service import install_defaults
from medici.kernel.db.database import Database
from tests.faults.deployments import Layout, deployed
from tests.faults.reset_child import reset
from tests.jobs.waiting import until

USERS = 6 * resets.BATCH + 100
KILLS = 2
TODAY = datetime(2026, 11, 25, tzinfo=UTC)
YESTERDAY = TODAY - timedelta(days=1)
AT_ONCE = 20
FEW = 2 * resets.BATCH + 100
PATHS = ("/v1/admin/credits/run-daily-reset", "/v1/admin/credits/tick-reset")
HOME = Path(__file__).parents[2]


async def entitle(database: Database, many: int = USERS) -> None:
    """Let there be users with the free plan."""
    free = {"owner_kind": OwnerKind.USER, "plan_id": "free", "status": EntitlementStatus.INACTIVE}
    rest = {"source": Source.MANUAL, "details": {}, "updated_at": YESTERDAY}
    rows = [{**free, **rest, "owner_id": f"user {number}"} for number in range(many)]
    async with database.transaction() as session:
        await install_defaults(session, now=YESTERDAY)
        await session.execute(insert(EntitlementRow), rows)


async def started(database_url: str) -> Process:
    """Begin or join today's reset in a process of its own."""
    child = ("-m", "tests.faults.reset_child", database_url, TODAY.isoformat())
    return await asyncio.create_subprocess_exec(sys.executable, *child, cwd=HOME)


async def progress(database: Database) -> ResetRun | None:
    """Return today's reset as it stands."""
    async with database.reading() as session:
        newest = next(iter(await resets_queries.runs(session, limit=1)), None)
    return newest if newest and newest.window_starts_at == TODAY else None


async def killed_beyond(database: Database, process: Process, mark: int) -> int:
    """Kill a process once the reset has come further; return how far it had."""

    async def has_come_further() -> bool:
        run = await progress(database)
        return run is not None and run.users_processed > mark

    await until(has_come_further, within=60)
    process.kill()
    await process.wait()
    run = await progress(database)
    assert run is not None
    return run.users_processed


async def grants_of(database: Database, day: datetime) -> Counter[str]:
    async with database.reading() as session:
        rows = await session.scalars(
            select(Wallet.owner_id)
            .join(Grant, Grant.wallet_id == Wallet.id)
            .where(Grant.source_ref == day.date().isoformat())
        )
        return Counter(rows.all())


async def asked_at_once(bases: Sequence[str]) -> Counter[int]:
    """Ask each process for the day's reset, and tell it the time, again and again."""

    async def ask(url: str) -> int:
        async with client.post(url) as answer:
            return answer.status

    async with aiohttp.ClientSession() as client:
        urls = [f"{base}{path}" for base in bases for path in PATHS] * (AT_ONCE // len(bases))
        return Counter(await asyncio.gather(*map(ask, urls)))


async def all_grants(database: Database) -> Counter[tuple[str, str]]:
    """Count the grants of each user and day."""
    async with database.reading() as session:
        rows = await session.execute(
            select(Wallet.owner_id, Grant.source_ref)
            .join(Grant, Grant.wallet_id == Wallet.id)
            .where(Grant.source == GrantSource.PLAN_DAILY)
        )
        return Counter((row.owner_id, row.source_ref) for row in rows)


class TestResetByTwoProcesses:
    async def test_twenty_times_at_once_gives_one_grant_for_each(
        self, database: Database, database_url: str, tmp_path: Path
    ) -> None:
        await entitle(database, FEW)

        async with deployed(database_url, tmp_path / "data", Layout(servers=2)) as deployment:
            statuses = await asked_at_once(deployment.bases)

        grants = await all_grants(database)
        assert statuses == {200: AT_ONCE * len(PATHS)}
        assert {user for user, _ in grants} == {f"user {number}" for number in range(FEW)}
        assert set(grants.values()) == {1}
        async with database.reading() as session:
            runs = await resets_queries.runs(session, limit=200)
            assert await audit(session) == []
        assert sum(run.balances_updated for run in runs) == len(grants)


class TestKilledReset:
    async def test_is_ended_by_the_next_with_one_grant_for_each(
        self, database: Database, database_url: str
    ) -> None:
        await entitle(database)
        await reset(database_url, YESTERDAY)
        marks = [0]
        for _ in range(KILLS):
            process = await started(database_url)
            marks.append(await killed_beyond(database, process, marks[-1]))
        last = await started(database_url)
        assert await last.wait() == 0

        assert 0 < marks[1] < marks[2] < USERS
        run = await progress(database)
        assert run is not None
        assert (run.state, run.users_processed) == (RunState.COMPLETED, USERS)
        assert run.balances_updated == USERS
        assert await grants_of(database, TODAY) == Counter(f"user {n}" for n in range(USERS))
        async with database.reading() as session:
            assert await audit(session) == []
