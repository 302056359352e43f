"""How long a run of the automation takes over 200 experiments, each with guardrails.

Each has 500 users, and all of them together left 1,000,000 facts in the
last seven days.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession
from tests.faults.deployments import Layout
from tests.support.databases import opened

from bench.figures import Figure
from bench.history import AS_ID, NUMBERS
from bench.places import Place
from medici.domain.assignments.models import (
    AnalysisMode,
    Experiment,
    ExperimentRuntime,
    ExperimentStatus,
    ExposureMode,
)
from medici.domain.experiments.audit import Act
from medici.domain.experiments.service.automation import Automation, AutomationRun
from medici.domain.experiments.service.looking import Look, Openings
from medici.domain.identity.principal import SYSTEM
from medici.kernel.clock import system_clock
from medici.kernel.db.database import Database, Dialect
from medici.kernel.ids import new_id

EXPERIMENTS = 200
USERS_OF_EACH = 500
USERS = 100_000
FACTS = 1_000_000
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
STARTED = NOW - timedelta(days=8)
HOURS = 168
ROUNDS = 3
GUARDRAILS: Mapping[str, object] = {
    "render_events_min": 200,
    "render_success_rate_min": 85,
    "p95_latency_max_ms": 12_000,
    "avg_cost_per_render_max_usd": 0.15,
    "paid_conversion_rate_min": 0.1,
}
MINUTES_AGO: Mapping[Dialect, str] = {
    "postgresql": "CAST('{at}' AS timestamptz) - n % 10080 * interval '1 minute'",
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', '{at}', '-' || (n % 10080) || ' minutes')",
}
UUID_OF: Mapping[Dialect, str] = {"postgresql": "CAST({id} AS uuid)", "sqlite": "{id}"}
EVENTS = """
    INSERT INTO events
        (id, name, occurred_at, recorded_at, user_id, tier, status, latency_ms, cost_micros,
         credits, trusted, properties)
    SELECT {id},
        CASE WHEN n % 50 = 0 THEN 'subscription_activated' ELSE 'render_status_updated' END,
        {at}, {at}, 'user-' || (n * 1709 % {users}),
        CASE WHEN n % 3 = 0 THEN 'final' ELSE 'preview' END,
        CASE WHEN n % 50 = 0 THEN 'active' WHEN n % 17 = 0 THEN 'failed' ELSE 'completed' END,
        2000 + n * 31 % 9000, 20000 + n % 60000, 1, true, '{{}}'
    FROM ({numbers}) AS numbers
"""
ASSIGNMENTS = """
    INSERT INTO experiment_assignments
        (experiment_id, user_id, variant_id, bucket, rollout_bucket, phase, bucket_version,
         assigned_at, first_exposed_at, enrolled, multiply_exposed, reason)
    SELECT 'x' || ((n - 1) / {of_each}), 'user-' || ((n - 1) % {users}),
        CASE WHEN n * 7 % 13 % 2 = 0 THEN 'control' ELSE 'b' END,
        n % 10000 / 10000.0, n * 37 % 10000 / 10000.0, 1, 0, {at}, {at}, true, false, 'hash'
    FROM ({numbers}) AS numbers
"""
AT: Mapping[Dialect, str] = {
    "postgresql": "CAST('{at}' AS timestamptz)",
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', '{at}')",
}


async def measure(place: Place) -> list[Figure]:
    """Fill a database, and have the automation look at it."""
    async with (
        place.served(Layout(embedded=False)) as deployment,
        opened(deployment.database_url) as database,
    ):
        await _fill(database)
        rounds = [await _run(database, NOW + timedelta(hours=hour)) for hour in range(ROUNDS)]
    return [
        Figure(
            what=f"automation over {EXPERIMENTS} experiments",
            where=place.name,
            unit="s",
            rounds=rounds,
            promise="60 s",
        )
    ]


async def _run(database: Database, now: datetime) -> float:
    """Do a run; return how many seconds it took."""
    openings = Openings(reading=database.reading, transaction=database.transaction)
    automation = Automation(database=database, openings=openings, clock=system_clock)
    look = Look.at(now, hours=HOURS, dry_run=False)
    act = Act(operator=SYSTEM, actor="bench", now=now)
    began_at = time.perf_counter()
    run = await automation.run(new_id(), look, rollout_limit=1000, act=act)
    took = time.perf_counter() - began_at
    _check(run)
    return took


def _check(run: AutomationRun) -> None:
    looked = len(run.guardrails.evaluations), len(run.rollouts.results)
    judged = [each for each in run.guardrails.evaluations if not each.verdict.skipped_reason]
    if looked != (EXPERIMENTS, EXPERIMENTS) or len(judged) != EXPERIMENTS or run.errors:
        raise RuntimeError(f"{looked} looked at, {len(judged)} judged, {run.errors} failed")


async def _fill(database: Database) -> None:
    dialect = database.dialect
    id_ = UUID_OF[dialect].format(id=AS_ID[dialect].format(base=10**12))
    events = EVENTS.format(
        id=id_,
        at=MINUTES_AGO[dialect].format(at=_written(NOW)),
        users=USERS,
        numbers=NUMBERS[dialect].format(count=FACTS),
    )
    assignments = ASSIGNMENTS.format(
        at=AT[dialect].format(at=_written(STARTED)),
        users=USERS,
        of_each=USERS_OF_EACH,
        numbers=NUMBERS[dialect].format(count=EXPERIMENTS * USERS_OF_EACH),
    )
    async with database.transaction() as session:
        await _set_up(session)
        for statement in (assignments, events):
            connection = await session.connection()
            await connection.exec_driver_sql(statement)
    async with database.engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(text("ANALYZE"))


async def _set_up(session: AsyncSession) -> None:
    names = [f"x{number}" for number in range(EXPERIMENTS)]
    await session.execute(insert(Experiment), [_experiment(name) for name in names])
    await session.execute(
        insert(ExperimentRuntime),
        [{"experiment_id": name, "rollout_history": []} for name in names],
    )


def _experiment(name: str) -> dict[str, object]:
    return {
        "experiment_id": name,
        "name": name,
        "status": ExperimentStatus.RUNNING,
        "assignment_unit": "user_id",
        "primary_metric": "paid_conversion_rate",
        "control_variant_id": "control",
        "seed": name,
        "bucket_version": 0,
        "traffic_percent": 100.0,
        "targeting": {},
        "overrides": {},
        "exposure_mode": ExposureMode.ASSIGNMENT,
        "analysis_mode": AnalysisMode.SEQUENTIAL,
        "sequential_tuning_n": 2000,
        "guardrails": GUARDRAILS,
        "variants": [{"variant_id": each, "weight": 50, "config": {}} for each in ("control", "b")],
        "phase": 1,
        "phase_started_at": STARTED,
        "revision": 1,
        "created_at": STARTED,
        "updated_at": STARTED,
    }


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")
