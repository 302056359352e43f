"""What a render costs our processor from admission to its picture, without the provider's work."""

from collections.abc import Callable, Mapping

from sqlalchemy import text

from bench.figures import Figure
from bench.places import Place
from bench.processor import family_cpu_seconds, own_cpu_seconds, parent_of
from bench.studios import Studio, studio
from medici.kernel.db.database import Database

ROUNDS = 3
RENDERS = 300
PART = {
    "all": "a render's CPU, server and worker",
    "server": "  of it: server",
    "worker": "  of it: worker",
    "pictures": "  of it: image processes",
    "database": "  beside it: PostgreSQL",
}
PROMISES = {"all": "4 ms"}


async def measure(place: Place) -> list[Figure]:
    """Have renders admitted and delivered, and add up what each process used for them."""
    async with studio(place) as rooms:
        meter = _meter(rooms, await _postmaster(rooms.database))
        await _render(rooms)  # connections, statements and the image process are warm from here on
        rounds = [await _metered(rooms, meter) for _ in range(ROUNDS)]
    return [
        Figure(
            what=PART[part],
            where=place.name,
            unit="ms",
            rounds=[one[part] for one in rounds],
            promise=PROMISES.get(part, ""),
        )
        for part in rounds[0]
    ]


async def _metered(rooms: Studio, meter: Callable[[], Mapping[str, float]]) -> dict[str, float]:
    """Return the milliseconds that a render took of each part."""
    before = meter()
    await _render(rooms)
    after = meter()
    return {part: 1000 * (after[part] - before[part]) / RENDERS for part in after}


async def _render(rooms: Studio) -> None:
    await rooms.admit(RENDERS)
    await rooms.until_delivered()


def _meter(rooms: Studio, postmaster: int | None) -> Callable[[], Mapping[str, float]]:
    server, worker = rooms.server.pid, rooms.worker.pid

    def meter() -> Mapping[str, float]:
        parts = {"server": family_cpu_seconds(server), "worker": family_cpu_seconds(worker)}
        parts = {"all": sum(parts.values()), **parts}
        parts["pictures"] = parts["worker"] - own_cpu_seconds(worker)
        if postmaster is not None:
            parts["database"] = family_cpu_seconds(postmaster)
        return parts

    return meter


async def _postmaster(database: Database) -> int | None:
    """Return the process whose children serve our connections; None where there is none."""
    if database.dialect != "postgresql":
        return None
    async with database.reading() as session:
        backend = await session.scalar(text("SELECT pg_backend_pid()"))
    return parent_of(int(backend))
