"""How many renders one Celery worker delivers, beside a worker that gets a message for each job."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select

from bench.figures import Figure, percentiles
from bench.messages import do_by_messages
from bench.places import Place
from bench.processor import family_cpu_seconds
from bench.rounds import Round
from bench.studios import Studio, studio
from medici.domain.rendering.work import DISPATCH
from medici.jobs.models import Job

ROUNDS = 3
ROUND_SECONDS = 6.0
FEWEST, MOST = 400, 6000  # jobs of a round
LIMIT = "a message each"


async def measure(place: Place) -> list[Figure]:
    """Deliver renders that were admitted before, and do jobs by messages, in turn."""
    if place.template is None:
        return []
    ours: list[Round] = []
    limits: list[Round] = []
    async with studio(place) as rooms:
        for _ in range(1 + ROUNDS):  # the first is only there to size the others
            ours.append(await _deliver(rooms, _size_after(ours)))
            limits.append(await do_by_messages(rooms, _size_after(limits)))
    return _figures(place, ours[1:], limits[1:])


def _figures(place: Place, ours: Sequence[Round], limits: Sequence[Round]) -> list[Figure]:
    return [
        Figure(
            what="renders delivered, provider of 200 ms",
            where=place.name,
            unit="/s",
            rounds=[one.per_second for one in ours],
            limit=LIMIT,
            limit_rounds=[one.per_second for one in limits],
            promise="600/s, ratio 3.5",
        ),
        Figure(
            what="worker's CPU for one, without admission",
            where=place.name,
            unit="ms",
            rounds=[one.cpu_milliseconds for one in ours],
            limit=LIMIT,
            limit_rounds=[one.cpu_milliseconds for one in limits],
        ),
        *percentiles(
            "from claim to delivery", place.name, "ms", [one.milliseconds for one in ours]
        ),
    ]


async def _deliver(rooms: Studio, count: int) -> Round:
    """Have renders admitted, then start the worker, and wait until it has done them all."""
    await rooms.worker.kill()
    admitted_from = datetime.now(UTC)
    await rooms.admit(count)
    await rooms.worker.start()
    await rooms.worker.up()
    used = family_cpu_seconds(rooms.worker.pid)
    await rooms.until_delivered()
    used = family_cpu_seconds(rooms.worker.pid) - used
    await rooms.worker.kill()
    runs = await _runs(rooms, admitted_from)
    return Round(
        began_at=[began.timestamp() for began, _ in runs],
        finished_at=[finished.timestamp() for _, finished in runs],
        cpu_seconds=used,
    )


async def _runs(rooms: Studio, admitted_from: datetime) -> list[tuple[datetime, datetime]]:
    """Return when the background work of each render began and was over."""
    runs = select(Job.started_at, Job.finished_at).where(
        Job.kind == DISPATCH.name, Job.created_at >= admitted_from
    )
    async with rooms.database.reading() as session:
        rows = (await session.execute(runs)).tuples()
        return [(began, finished) for began, finished in rows if began and finished]


def _size_after(rounds: Sequence[Round]) -> int:
    """Return how many jobs make a round of a sensible length, judged by the one before."""
    pace = rounds[-1].per_second if rounds else 0.0
    return min(MOST, max(FEWEST, round(ROUND_SECONDS * pace)))
