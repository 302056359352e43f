"""Assignments of known and of new users, and all of a user's, beside an empty route."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
from tests.domain.assignments.experiments import Laboratory, experiment
from tests.faults.deployments import Layout
from tests.faults.load import Customer
from tests.support.databases import opened

from bench.empty import PATH
from bench.events import _server as served_with_empty_route
from bench.figures import Figure, percentiles
from bench.knocking import Knocked, Request, knock, posting
from bench.places import Place
from medici.domain.assignments.bucketing import bucket
from medici.domain.assignments.models import Experiment
from medici.kernel.ids import new_id

CUSTOMERS = 200
CONNECTIONS = 16
RUNNING = 50
NEW = 15  # experiments that everybody meets in a round
ROUNDS = 5
REQUESTS = CUSTOMERS * NEW
LOOKS = 400
HASHES = 50_000
COPIES_LAST_SECONDS = 5.5


async def measure(place: Place) -> list[Figure]:
    """Ask for variants as known and as new users, for all variants, and for nothing, in turn."""
    known: list[Knocked] = []
    new: list[Knocked] = []
    nothing: list[Knocked] = []
    async with place.served(Layout(embedded=False)) as deployment:
        async with opened(deployment.database_url) as database:
            names = [f"e{number}" for number in range(RUNNING)]
            await Laboratory(database).store(*map(_experiment, names))
        async with served_with_empty_route(deployment) as base:
            customers = await _signed_in(base)
            await _looks(base, customers, CUSTOMERS)  # by which all are assigned
            looks = [await _looks(base, customers, LOOKS) for _ in range(ROUNDS)]
            async with opened(deployment.database_url) as database:
                met = [f"new-{number}" for number in range(NEW * ROUNDS)]
                await Laboratory(database).store(*map(_experiment, met))
            await asyncio.sleep(COPIES_LAST_SECONDS)  # until the server keeps them, too
            for round_ in range(ROUNDS):
                known.append(await _assigned(base, customers, names[:NEW]))
                new.append(await _assigned(base, customers, met[round_ * NEW :][:NEW]))
                asked = [posting(base + PATH, customers[0], {})] * REQUESTS
                nothing.append(await knock(asked, at_once=CONNECTIONS))
    return [
        *_figures("a known user", place, known, nothing, promise="ratio 0.4", p95="30 ms"),
        *_figures("a new user", place, new, nothing, promise="ratio 0.2", p95="60 ms"),
        *percentiles(
            f"all of {RUNNING} assignments of a user",
            place.name,
            "ms",
            [_milliseconds(each) for each in looks],
            promises={"p95": "40 ms"},
        ),
        _hashing(place),
    ]


def _figures(
    who: str,
    place: Place,
    rounds: Sequence[Knocked],
    nothing: Sequence[Knocked],
    *,
    promise: str,
    p95: str,
) -> list[Figure]:
    return [
        Figure(
            what=f"assignment of {who}, {CONNECTIONS} connections",
            where=place.name,
            unit="/s",
            rounds=[each.per_second for each in rounds],
            limit="an empty route",
            limit_rounds=[each.per_second for each in nothing],
            promise=promise,
        ),
        *percentiles(
            "  an answer to one of them",
            place.name,
            "ms",
            [_milliseconds(each) for each in rounds],
            promises={"p95": p95},
        ),
    ]


def _hashing(place: Place) -> Figure:
    users = [str(new_id()) for _ in range(HASHES)]
    rounds = []
    for _ in range(ROUNDS):
        began_at = time.perf_counter()
        for user in users:
            bucket("paywall_timing", user)
        rounds.append(HASHES / (time.perf_counter() - began_at))
    return Figure(
        what="buckets of users", where=place.name, unit="/s", rounds=rounds, promise="100,000 /s"
    )


def _milliseconds(knocked: Knocked) -> list[float]:
    return [1000 * seconds for seconds in knocked.seconds]


async def _signed_in(base: str) -> list[Customer]:
    async with httpx.AsyncClient(base_url=base, timeout=30) as client:
        customers = []
        for number in range(CUSTOMERS):
            form = {"user_id": f"customer-{number}", "platform": "ios"}
            token = (await client.post("/v1/auth/login-dev", json=form)).json()["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            customers.append(Customer(user_id=form["user_id"], headers=headers, image_url=""))
        return customers


async def _assigned(base: str, customers: Sequence[Customer], names: Sequence[str]) -> Knocked:
    """Have every customer ask for their variant in each of some experiments."""
    return await _granted(
        [
            posting(
                f"{base}/v1/experiments/assign",
                customer,
                {
                    "experiment_id": name,
                    "user_id": customer.user_id,
                    "attributes": {"platform": "ios", "app_version": "2.5.1", "country": "TR"},
                },
            )
            for name in names
            for customer in customers
        ]
    )


async def _looks(base: str, customers: Sequence[Customer], count: int) -> Knocked:
    """Have customers ask for all their variants at once."""
    asking = [customers[number % len(customers)] for number in range(count)]
    return await _granted([_look(base, customer) for customer in asking])


async def _granted(requests: Sequence[Request]) -> Knocked:
    knocked = await knock(requests, at_once=CONNECTIONS)
    if set(knocked.statuses) != {200}:
        raise RuntimeError(f"refused: {set(knocked.statuses)}")
    return knocked


def _look(base: str, customer: Customer) -> Request:
    where = urlsplit(base)
    headers = {"Host": where.netloc, **customer.headers}
    path = f"/v1/experiments/active/{customer.user_id}"
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
    return Request(where.hostname or "", where.port or 80, "\r\n".join([*lines, "", ""]).encode())


def _experiment(name: str) -> Experiment:
    now = datetime.now(UTC)
    return experiment(name, created_at=now, updated_at=now, phase_started_at=now)
