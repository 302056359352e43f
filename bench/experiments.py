"""How an experiment does, over 100,000 users and a million events, and deciding on 200 of them."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.faults.deployments import Layout
from tests.support.databases import opened

from bench.figures import Figure
from bench.history import NUMBERS
from bench.knocking import Request, knock
from bench.places import Place, resident_mib
from medici.domain.assignments.models import (
    AnalysisMode,
    Experiment,
    ExperimentRuntime,
    ExperimentStatus,
    ExposureMode,
)
from medici.domain.experiments.analysis.deciding import decided
from medici.domain.experiments.variables import experiment_policy
from medici.kernel.db.database import Database, Dialect

USERS, EVENTS = 100_000, 1_000_000
SMALL, USERS_OF_SMALL = 200, 500
DAYS = 6
ROUNDS = 3
LARGE = "large"
METRICS = (
    "upgrade_conversion_7d",
    "net_revenue_per_visitor",
    "preview_to_final_rate",
    "render_success_rate",
)
PROMISES = {"postgresql": "2 s", "sqlite": "5 s"}
PATHS = {
    "performance": "performance?hours=168",
    "trends by day": "trends?hours=168&bucket_hours=24",
}
# Ten kinds of facts in turn, as (name, tier, status, trusted).
KINDS = (
    ("app_opened", None, None, False),
    ("app_opened", None, None, False),
    ("paywall_viewed", None, None, False),
    ("render_dispatched", "preview", "queued", True),
    ("render_dispatched", "final", "queued", True),
    ("render_status_updated", "preview", "completed", True),
    ("render_status_updated", "final", "completed", True),
    ("render_status_updated", "preview", "failed", True),
    ("checkout_started", None, None, True),
    ("subscription_activated", None, "active", True),
)


async def measure(place: Place) -> list[Figure]:
    """Ask for one large experiment's figures, then decide on many small ones one after another."""
    async with place.served(Layout(embedded=False)) as deployment:
        base, server = deployment.bases[0], deployment.servers[0]
        async with opened(deployment.database_url) as database:
            await _write_past(database)
            idle = resident_mib(server.pid)
            figures = [await _asked(place, base, what, path) for what, path in PATHS.items()]
            grown = resident_mib(server.pid) - idle
            deciding = await _decided_on_all(database)
    return [
        *figures,
        Figure(what="  memory that it took", where=place.name, unit="MiB", rounds=[grown]),
        Figure(
            what=f"deciding on {SMALL} experiments of {USERS_OF_SMALL} users",
            where=place.name,
            unit="s",
            rounds=[deciding],
            promise="60 s",
        ),
    ]


async def _asked(place: Place, base: str, what: str, path: str) -> Figure:
    where = urlsplit(base)
    target = f"/v1/admin/experiments/{LARGE}/{path}"
    message = f"GET {target} HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode()
    request = Request(where.hostname or "", where.port or 80, message)
    knocked = await knock([request] * (ROUNDS + 1), at_once=1)
    if set(knocked.statuses) != {200}:
        raise RuntimeError(f"{path}: {set(knocked.statuses)}")
    return Figure(
        what=f"{what} of {USERS:,} users, {EVENTS:,} events",
        where=place.name,
        unit="s",
        rounds=knocked.seconds[1:],
        promise=PROMISES[place.name],
    )


async def _decided_on_all(database: Database) -> float:
    began_at = time.perf_counter()
    async with database.reading() as session:
        policy = await experiment_policy(session)
        small = select(Experiment).where(Experiment.experiment_id != LARGE)
        for experiment in await session.scalars(small):
            await decided(session, experiment, policy=policy, now=datetime.now(UTC))
    return time.perf_counter() - began_at


async def _write_past(database: Database) -> None:
    """Write experiments that began six days ago, their users, and what these did, by SQL."""
    started_at = datetime.now(UTC) - timedelta(days=DAYS)
    names = [LARGE, *(f"small-{number}" for number in range(SMALL))]
    async with database.transaction() as session:
        session.add_all(
            _experiment(name, METRICS[place % len(METRICS)], started_at)
            for place, name in enumerate(names)
        )
        await session.flush()
        session.add_all(ExperimentRuntime(experiment_id=name) for name in names)
    sql = _Sql(database.dialect, started_at)
    async with database.engine.begin() as connection:
        await _assign(connection, sql, LARGE, USERS, first=0)
        for number in range(SMALL):
            await _assign(
                connection, sql, f"small-{number}", USERS_OF_SMALL, first=number * USERS_OF_SMALL
            )
        await _write_events(connection, sql)
    async with database.engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.exec_driver_sql("ANALYZE")


def _experiment(name: str, metric: str, started_at: datetime) -> Experiment:
    return Experiment(
        experiment_id=name,
        name=name,
        status=ExperimentStatus.RUNNING,
        assignment_unit="user_id",
        primary_metric=metric,
        control_variant_id="control",
        seed=name,
        bucket_version=0,
        traffic_percent=100.0,
        targeting={},
        overrides={},
        exposure_mode=ExposureMode.ASSIGNMENT,
        analysis_mode=AnalysisMode.SEQUENTIAL,
        guardrails={},
        variants=[{"variant_id": id_, "weight": 50, "config": {}} for id_ in ("control", "after")],
        phase=1,
        phase_started_at=started_at,
        revision=1,
        created_at=started_at,
        updated_at=started_at,
    )


class _Sql:
    """Moments since the start, ids and JSON, in the SQL of a database."""

    def __init__(self, dialect: Dialect, started_at: datetime) -> None:
        self._start = started_at.timestamp()
        self.dialect = dialect
        self.id = "lpad(to_hex(n), 32, '0')::uuid" if self._is_postgres else "printf('%032x', n)"
        self.big_n = "n::bigint" if self._is_postgres else "n"
        self.empty_json = "'{}'::jsonb" if self._is_postgres else "'{}'"

    @property
    def _is_postgres(self) -> bool:
        return self.dialect == "postgresql"

    def after(self, seconds: str) -> str:
        """Return the moment so many seconds after the start."""
        moment = f"{self._start:.3f} + ({seconds})"
        if self._is_postgres:
            return f"to_timestamp({moment})"
        return f"strftime('%Y-%m-%d %H:%M:%f000', {moment}, 'unixepoch')"


async def _assign(
    connection: AsyncConnection, sql: _Sql, experiment_id: str, count: int, *, first: int
) -> None:
    """Assign users by turns, all within the first day."""
    moment = sql.after("n % 86400")
    values: Mapping[str, str] = {
        "experiment_id": f"'{experiment_id}'",
        "user_id": f"'user-' || (n + {first})",
        "variant_id": "CASE n % 2 WHEN 0 THEN 'control' ELSE 'after' END",
        "bucket": "0.1",
        "rollout_bucket": "0.1",
        "phase": "1",
        "bucket_version": "0",
        "assigned_at": moment,
        "first_exposed_at": moment,
        "enrolled": "TRUE",
        "multiply_exposed": "FALSE",
        "reason": "'hash'",
    }
    await _insert(connection, sql, "experiment_assignments", values, count)


async def _write_events(connection: AsyncConnection, sql: _Sql) -> None:
    """Let every user do about ten things in the five days after."""
    moment = sql.after("86400 + (n * 7) % 400000")
    ended = "n % 10 IN (5, 6, 7)"
    values: Mapping[str, str] = {
        "id": sql.id,
        "name": _of_kind(0),
        "occurred_at": moment,
        "recorded_at": moment,
        "user_id": f"'user-' || (({sql.big_n} * 7919 / 3) % {USERS} + 1)",
        "platform": "CASE n % 3 WHEN 0 THEN 'ios' WHEN 1 THEN 'android' ELSE 'web' END",
        "tier": _of_kind(1),
        "status": _of_kind(2),
        "latency_ms": f"CASE WHEN {ended} THEN 800 + ({sql.big_n} * 7919) % 9000 END",
        "cost_micros": f"CASE WHEN {ended} THEN 25000 END",
        "credits": f"CASE WHEN {ended} THEN 1 END",
        "trusted": _of_kind(3),
        "properties": sql.empty_json,
    }
    await _insert(connection, sql, "events", values, EVENTS)


def _of_kind(part: int) -> str:
    cases = " ".join(f"WHEN {n} THEN {_literal(kind[part])}" for n, kind in enumerate(KINDS))
    return f"CASE n % {len(KINDS)} {cases} END"


def _literal(value: str | bool | None) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case str():
            return f"'{value}'"


async def _insert(
    connection: AsyncConnection, sql: _Sql, table: str, values: Mapping[str, str], count: int
) -> None:
    numbers = NUMBERS[sql.dialect].format(count=count)
    chosen = ", ".join(values.values())
    await connection.exec_driver_sql(
        f"INSERT INTO {table} ({', '.join(values)}) SELECT {chosen} FROM ({numbers}) AS numbers"
    )
