"""How many renders one Celery worker delivers, beside a worker that gets a message for each job."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select

from bench.figures import Figure, percentiles
from bench.messages import do_by_messages
from bench.places import Place
from bench.studios import Studio, studio
from medici.domain.rendering.work import DISPATCH
from medici.jobs.models import Job

ROUNDS = 3
ROUND_SECONDS = 3.0
FEWEST, MOST = 200, 6000  # jobs of a round
MARGIN = 0.1  # the share of jobs at either end of a round that does not count

Runs = Sequence[tuple[datetime, datetime]]
"""When the background work of each render began and ended, by the database's clock."""


async def measure(place: Place) -> list[Figure]:
    """Deliver renders that were admitted before, and do as many jobs by messages, in turn."""
    if place.template is None:
        return []
    rates: list[float] = []
    limits: list[float] = []
    took: list[list[float]] = []
    async with studio(place) as rooms:
        expected, expected_limit = await _tried(rooms)
        for _ in range(ROUNDS):
            runs = await _deliver(rooms, _jobs(expected))
            rates.append(per_second([ended.timestamp() for _, ended in runs]))
            took.append([1000 * (ended - began).total_seconds() for began, ended in runs])
            limits.append(per_second(await do_by_messages(rooms, _jobs(expected_limit))))
    return _figures(place, rates, limits, took)


async def _tried(rooms: Studio) -> tuple[float, float]:
    """Return about how many jobs a second are to be expected of us and of the limit."""
    runs = await _deliver(rooms, FEWEST)
    ours = per_second([ended.timestamp() for _, ended in runs])
    return ours, per_second(await do_by_messages(rooms, FEWEST))


def _figures(
    place: Place, rates: Sequence[float], limits: Sequence[float], took: Sequence[Sequence[float]]
) -> list[Figure]:
    return [
        Figure(
            what="renders delivered, provider of 200 ms",
            where=place.name,
            unit="/s",
            rounds=rates,
            limit="a message each",
            limit_rounds=limits,
            promise="600/s, ratio 3.5",
        ),
        *percentiles("a render's background work", place.name, "ms", took),
    ]


async def _deliver(rooms: Studio, count: int) -> Runs:
    """Have renders admitted, then start the worker, and return when it ran each."""
    await rooms.worker.kill()
    began_at = datetime.now(UTC)
    await rooms.admit(count)
    await rooms.worker.start()
    await rooms.until_delivered()
    await rooms.worker.kill()
    dispatches = select(Job.started_at, Job.finished_at).where(
        Job.kind == DISPATCH.name, Job.created_at >= began_at
    )
    async with rooms.database.reading() as session:
        rows = (await session.execute(dispatches)).tuples()
        return [(began, ended) for began, ended in rows if began and ended]


def _jobs(expected: float) -> int:
    """Return how many jobs make a round of a sensible length."""
    return min(MOST, max(FEWEST, round(expected * ROUND_SECONDS)))


def per_second(finished_at: Sequence[float]) -> float:
    """Return the pace at which jobs were finished, without the first and the last of them.

    At its ends a round says more about the start of a process and the last straggler.
    """
    ordered = sorted(finished_at)
    skipped = int(MARGIN * len(ordered))
    inner = ordered[skipped : len(ordered) - skipped]
    return (len(inner) - 1) / (inner[-1] - inner[0])
