"""Admission of a render over HTTP, beside the same rows written by the driver alone."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import text
from tests.faults.deployments import Deployment, Layout
from tests.faults.load import ORDERS, Customer, arrive
from tests.support.databases import opened

from bench import history, plain_orm
from bench.figures import Figure, percentiles
from bench.knocking import Knocked, knock, posting
from bench.places import Place, cpu_seconds
from bench.rows import Admission, PostgresDriver, SqliteDriver, Tables

ROUNDS = 3
CONNECTIONS = 32
CUSTOMERS = 256  # so that none has more in progress than customers have
REQUESTS = 3200  # of a round, over HTTP
WRITES = 640  # of a round, by the driver
PLAIN_WRITES = 160  # of a round, by the ORM
PAST = 1_000_000
ENDED = (
    "UPDATE render_jobs SET state = 'succeeded' WHERE state = 'queued'",
    "UPDATE jobs SET state = 'done' WHERE state = 'ready'",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A deployment whose customers order, and the rows that one order of each leaves."""

    deployment: Deployment
    customers: Sequence[Customer]
    driver: SqliteDriver | PostgresDriver
    admissions: Sequence[Admission]

    async def admit(self, count: int) -> Knocked:
        """Have renders admitted by the customers and the servers in turn."""
        bases = self.deployment.bases
        requests = [
            posting(bases[n % len(bases)] + ORDERS, customer, _order(customer))
            for n, customer in enumerate(_in_turn(self.customers, count))
        ]
        knocked = await knock(requests, at_once=min(CONNECTIONS, count))
        if set(knocked.statuses) != {200}:
            raise RuntimeError(f"refused: {set(knocked.statuses)}")
        return knocked

    async def clear(self) -> None:
        """Let all orders have ended, since a customer has few of them in progress at once."""
        async with (
            opened(self.deployment.database_url) as database,
            database.transaction() as session,
        ):
            for statement in ENDED:
                await session.execute(text(statement))

    def cpu_seconds(self) -> float:
        """Return what the servers have used so far."""
        return sum(cpu_seconds(server.pid) for server in self.deployment.servers)


async def measure(place: Place) -> list[Figure]:
    """Admit renders and write their rows in turn: on one server, and on two if it may be."""
    promise = "2,000/s; 5 x ORM" if place.name == "sqlite" else ""
    figures = await _measured(place, servers=1, promise=promise)
    if place.template is not None:
        figures += await _measured(place, servers=2, promise="ratio 1.0; 10 x ORM; p99 40 ms")
    return figures


async def measure_aged(place: Place) -> list[Figure]:
    """Admission in tables that hold a million renders and two million ledger entries already."""
    servers = 1 if place.template is None else 2
    return await _measured(place, servers=servers, promise="as without a past", past=PAST)


async def _measured(place: Place, *, servers: int, promise: str, past: int = 0) -> list[Figure]:
    knocks, limits, plain, cpu = [], [], [], []
    async with _office(place, servers) as office:
        if past:
            await history.write(office.deployment.database_url, office.admissions, past)
        await office.admit(REQUESTS)  # connections and statements are warm from here on
        for _ in range(ROUNDS):
            await office.clear()
            used = office.cpu_seconds()
            knocks.append(await office.admit(REQUESTS))
            cpu.append(1000 * (office.cpu_seconds() - used) / REQUESTS)
            limits.append(await office.driver.write(office.admissions, WRITES))
            plain.append(
                await plain_orm.write(
                    office.deployment.database_url, office.admissions, PLAIN_WRITES
                )
            )
    what = f"admission, {servers} server{'s' * (servers > 1)}" + (", aged" if past else "")
    return [
        Figure(
            what=f"{what}, {CONNECTIONS} connections",
            where=place.name,
            unit="/s",
            rounds=[knocked.per_second for knocked in knocks],
            limit="driver",
            limit_rounds=limits,
            promise=promise,
        ),
        Figure(
            what="  the same rows by plain ORM",
            where=place.name,
            unit="/s",
            rounds=plain,
            limit="admission",
            limit_rounds=[knocked.per_second for knocked in knocks],
        ),
        Figure(what="  CPU of the servers", where=place.name, unit="ms", rounds=cpu),
        *percentiles(
            f"  {what}",
            place.name,
            "ms",
            [[1000 * one for one in knocked.seconds] for knocked in knocks],
        ),
    ]


@asynccontextmanager
async def _office(place: Place, servers: int) -> AsyncIterator[Office]:
    async with place.served(Layout(embedded=False, servers=servers)) as deployment:
        names = [f"customer-{n}" for n in range(CUSTOMERS)]
        customers = await arrive(deployment.bases[0], names)
        url = deployment.database_url
        driver = SqliteDriver(url) if url.startswith("sqlite") else PostgresDriver(url)
        office = Office(deployment=deployment, customers=customers, driver=driver, admissions=())
        yield Office(
            deployment=deployment,
            customers=customers,
            driver=driver,
            admissions=await _recorded(office),
        )


async def _recorded(office: Office) -> list[Admission]:
    """Have the second render of some customers admitted, and find the rows of each."""
    await office.admit(len(office.customers))
    admissions: list[Admission] = []
    before: Tables = await office.driver.tables()
    for customer in office.customers[:CONNECTIONS]:
        request = posting(office.deployment.bases[0] + ORDERS, customer, _order(customer))
        await knock([request], at_once=1)
        after = await office.driver.tables()
        admissions.append(Admission.between(before, after))
        before = after
    return admissions


def _in_turn(customers: Sequence[Customer], count: int) -> list[Customer]:
    return [customers[n % len(customers)] for n in range(count)]


def _order(customer: Customer) -> dict[str, object]:
    return {
        "project_id": "bench",
        "image_url": customer.image_url,
        "style_id": "modern",
        "operation": "restyle",
    }
