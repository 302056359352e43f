"""Admission of a render over HTTP, beside the same rows written by the driver alone."""

from collections.abc import Sequence

from tests.faults.deployments import Deployment, Layout
from tests.faults.load import ORDERS, Customer, arrive

from bench.figures import Figure, quantile
from bench.knocking import Knocked, knock, posting
from bench.places import Place, cpu_seconds
from bench.rows import Admission, PostgresDriver, SqliteDriver, Tables

ROUNDS = 3
CONNECTIONS = 32
REQUESTS = 1600
ONLY_ADMITTING = Layout(embedded=False)


async def measure(place: Place) -> list[Figure]:
    """Admit renders and write their rows in turn, on one server process and durably."""
    async with place.served(ONLY_ADMITTING) as deployment:
        customers = await arrive(deployment.bases[0], [f"customer-{n}" for n in range(CONNECTIONS)])
        driver = _driver(deployment.database_url)
        admissions = await _recorded(driver, deployment, customers)
        knocks, limits, cpu = [], [], []
        for _ in range(ROUNDS):
            used = cpu_seconds(deployment.servers[0].pid)
            knocks.append(await _admit(deployment, customers, REQUESTS))
            cpu.append(1000 * (cpu_seconds(deployment.servers[0].pid) - used) / REQUESTS)
            limits.append(await driver.write(admissions, REQUESTS))
    return _figures(place, knocks, limits, cpu)


def _figures(
    place: Place, knocks: Sequence[Knocked], limits: Sequence[float], cpu: Sequence[float]
) -> list[Figure]:
    return [
        Figure(
            what=f"admission, {CONNECTIONS} connections",
            where=place.name,
            unit="/s",
            rounds=[knocked.per_second for knocked in knocks],
            limit="driver",
            limit_rounds=limits,
            promise="2,000/s" if place.name == "sqlite" else "ratio 1.0 with 2 workers",
        ),
        Figure(
            what="admission, p99",
            where=place.name,
            unit="ms",
            rounds=[1000 * quantile(knocked.seconds, 0.99) for knocked in knocks],
            promise="" if place.name == "sqlite" else "40 ms with 2 workers",
        ),
        Figure(what="admission, CPU of the server", where=place.name, unit="ms", rounds=cpu),
    ]


def _driver(url: str) -> SqliteDriver | PostgresDriver:
    return SqliteDriver(url) if url.startswith("sqlite") else PostgresDriver(url)


async def _recorded(
    driver: SqliteDriver | PostgresDriver, deployment: Deployment, customers: Sequence[Customer]
) -> list[Admission]:
    """Have each customer's second render admitted, and find the rows of it."""
    await _admit(deployment, customers, len(customers))
    admissions: list[Admission] = []
    before: Tables = await driver.tables()
    for customer in customers:
        await _admit(deployment, [customer], 1)
        after = await driver.tables()
        admissions.append(Admission.between(before, after))
        before = after
    return admissions


async def _admit(deployment: Deployment, customers: Sequence[Customer], count: int) -> Knocked:
    requests = [
        posting(deployment.bases[0] + ORDERS, customer, _order(customer))
        for customer in (customers[n % len(customers)] for n in range(count))
    ]
    knocked = await knock(requests, at_once=min(CONNECTIONS, count))
    if set(knocked.statuses) != {200}:
        raise RuntimeError(f"refused: {set(knocked.statuses)}")
    return knocked


def _order(customer: Customer) -> dict[str, object]:
    return {
        "project_id": "bench",
        "image_url": customer.image_url,
        "style_id": "modern",
        "operation": "restyle",
    }
