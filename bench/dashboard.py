"""Dashboard and overview over a million events and a million renders, and rolling them up."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncConnection
from tests.faults.deployments import Layout
from tests.faults.load import ORDERS, arrive
from tests.support.databases import opened

from bench.figures import Figure, percentiles
from bench.history import NUMBERS
from bench.knocking import Request, knock, posting
from bench.places import Place
from medici.domain.analytics.service import rollup
from medici.kernel.db.base import Base
from medici.kernel.db.database import Database, Dialect

PAST = 1_000_000
DAYS = 30
USERS = 20_000
CALLS = 50
ADMIN = "/v1/admin/analytics"
PATHS = {
    "dashboard of 24 hours": f"{ADMIN}/dashboard?hours=24",
    "dashboard of 30 days": f"{ADMIN}/dashboard?hours=720",
    "overview": f"{ADMIN}/overview",
    "providers' health": "/v1/admin/providers/health",
}
PROMISE = {"postgresql": "150 ms", "sqlite": "400 ms"}
# Ten kinds of facts in turn, as (name, tier, status, trusted).
KINDS = (
    ("app_opened", None, None, False),
    ("app_opened", None, None, False),
    ("app_opened", None, None, False),
    ("upload_completed", None, None, False),
    ("render_dispatched", "preview", "queued", True),
    ("render_status_updated", "preview", "in_progress", True),
    ("render_status_updated", "preview", "completed", True),
    ("render_status_updated", "final", "completed", True),
    ("render_status_updated", "preview", "failed", True),
    ("paywall_viewed", None, None, False),
)


async def measure(place: Place) -> list[Figure]:
    """Write a past, roll it up, and ask for each answer fifty times."""
    figures = []
    async with place.served(Layout(embedded=False)) as deployment:
        base, url = deployment.bases[0], deployment.database_url
        (customer,) = await arrive(base, ["ada"])
        order: dict[str, object] = {
            "project_id": "bench",
            "image_url": customer.image_url,
            "style_id": "modern",
            "operation": "restyle",
        }
        await knock([posting(base + ORDERS, customer, order)], at_once=1)
        async with opened(url) as database:
            await _write_past(database)
            began_at = time.perf_counter()
            await _roll_up(database)
            took = time.perf_counter() - began_at
            await _tidy(database)
        figures.append(
            Figure(what=f"rolling up {PAST:,} events", where=place.name, unit="s", rounds=[took])
        )
        for what, path in PATHS.items():
            requests = [_getting(base + path)]
            await knock(requests * 3, at_once=1)
            knocked = await knock(requests * CALLS, at_once=1)
            if set(knocked.statuses) != {200}:
                raise RuntimeError(f"{path}: {set(knocked.statuses)}")
            figures += percentiles(
                what,
                place.name,
                "ms",
                [[1000 * seconds for seconds in knocked.seconds]],
                promises={"p95": PROMISE[place.name]},
            )
    return figures


def _getting(url: str) -> Request:
    where = urlsplit(url)
    message = f"GET {where.path}?{where.query} HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n"
    return Request(where.hostname or "", where.port or 80, message.encode())


async def _write_past(database: Database) -> None:
    """Write facts and renders of the last thirty days, evenly spread."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    async with database.engine.begin() as connection:
        if database.dialect == "postgresql":  # a million rows take as long as they take
            await connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        await _write_events(connection, database.dialect, now)
        await _write_renders(connection, database.dialect, now)
    await _tidy(database)


async def _tidy(database: Database) -> None:
    """Leave tables as thirty days would, or autovacuum begins in the middle of a measurement."""
    async with database.engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        postgres = database.dialect == "postgresql"
        await alone.exec_driver_sql("VACUUM (ANALYZE)" if postgres else "ANALYZE")


class _Sql:
    """The n-th row of a past: its time and its id, in the SQL of a database."""

    def __init__(self, dialect: Dialect, now: int) -> None:
        step = DAYS * 86_400_000 // PAST
        milliseconds = f"({now - DAYS * 86_400_000} + CAST(n AS BIGINT) * {step})"
        if dialect == "postgresql":
            self.moment = f"to_timestamp({milliseconds} / 1000.0)"
            hexadecimal = "lpad(to_hex({}), {}, '0')"
            self.latency = "(800 + (n::bigint * 7919) % 9000)"
        else:
            self.moment = f"strftime('%Y-%m-%d %H:%M:%f000', {milliseconds} / 1000.0, 'unixepoch')"
            hexadecimal = "printf('%0{1}x', {0})"
            self.latency = "800 + (n * 7919) % 9000"
        whole = f"{milliseconds}::bigint" if dialect == "postgresql" else milliseconds
        front = hexadecimal.format(whole, 12)
        self._id = f"{front} || '7000' || '{{}}' || {hexadecimal.format('n', 15)}"
        self._cast = "({})::uuid" if dialect == "postgresql" else "{}"
        self.numbers = NUMBERS[dialect].format(count=PAST)
        self.empty_json = "'{}'::jsonb" if dialect == "postgresql" else "'{}'"

    def id(self, mark: str) -> str:
        return self._cast.format(self._id.format(mark))


async def _write_events(connection: AsyncConnection, dialect: Dialect, now: int) -> None:
    sql = _Sql(dialect, now)
    trusted = _of_kind(3)
    render = f"CASE WHEN {trusted} THEN {{}} END"
    values: Mapping[str, str] = {
        "id": sql.id("8"),
        "name": _of_kind(0),
        "occurred_at": sql.moment,
        "recorded_at": sql.moment,
        "user_id": f"'user-' || (n / 10 % {USERS})",
        "platform": "CASE n % 3 WHEN 0 THEN 'ios' WHEN 1 THEN 'android' ELSE 'web' END",
        "provider": render.format("CASE n % 4 WHEN 0 THEN 'openai' ELSE 'fal' END"),
        "model": render.format("CASE n % 4 WHEN 0 THEN 'gpt-image-2' ELSE 'flux' END"),
        "operation": render.format("CASE n % 7 WHEN 0 THEN 'repaint' ELSE 'restyle' END"),
        "tier": _of_kind(1),
        "status": _of_kind(2),
        "latency_ms": f"CASE WHEN n % 10 IN (6, 7, 8) THEN {sql.latency} END",
        "cost_micros": "CASE WHEN n % 10 IN (6, 7, 8) THEN 25000 END",
        "credits": render.format("1"),
        "plan_id": render.format("CASE n % 5 WHEN 0 THEN 'pro' ELSE 'free' END"),
        "error_code": "CASE WHEN n % 10 = 8 THEN 'moderated' END",
        "trusted": trusted,
        "properties": sql.empty_json,
    }
    chosen = ", ".join(values.values())
    await connection.exec_driver_sql(
        f"INSERT INTO events ({', '.join(values)}) SELECT {chosen} FROM ({sql.numbers}) AS numbers"
    )


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


async def _write_renders(connection: AsyncConnection, dialect: Dialect, now: int) -> None:
    """Copy the one render there is, each as it ended long ago, with one attempt."""
    sql = _Sql(dialect, now)
    changed = {
        "id": sql.id("9"),
        "hold_id": "NULL",
        "state": "'succeeded'",
        "provider_mode": "'live'",
        "created_at": sql.moment,
        "updated_at": sql.moment,
        "finished_at": sql.moment,
    }
    names = [column.name for column in Base.metadata.tables["render_jobs"].columns]
    chosen = ", ".join(changed.get(name, f"one.{name}") for name in names)
    await connection.exec_driver_sql(
        f"INSERT INTO render_jobs ({', '.join(names)}) SELECT {chosen} "
        f"FROM (SELECT * FROM render_jobs LIMIT 1) AS one, ({sql.numbers}) AS numbers"
    )
    attempt: Mapping[str, str] = {
        "id": sql.id("a"),
        "render_job_id": sql.id("9"),
        "number": "1",
        "provider": "'fal'",
        "model": "'flux'",
        "state": "'succeeded'",
        "polls": "1",
        "estimated_cost_micros": "25000",
        "cost_uncertain": "FALSE",
        "created_at": sql.moment,
        "deadline_at": sql.moment,
        "finished_at": sql.moment,
    }
    await connection.exec_driver_sql(
        f"INSERT INTO render_attempts ({', '.join(attempt)}) "
        f"SELECT {', '.join(attempt.values())} FROM ({sql.numbers}) AS numbers"
    )


async def _roll_up(database: Database) -> None:
    """Do what the rollup's job does, as often as it takes."""
    now, after, more = datetime.now(UTC), None, True
    while more:
        async with database.transaction() as session:
            after = await rollup.look_further(session, after=after, now=now)
        more = after is not None
    more = True
    while more:
        async with database.transaction() as session:
            more = await rollup.roll_next(session, now=now)
    async with database.transaction() as session:
        await rollup.finish(session, now=now)
