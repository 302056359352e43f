"""What a render costs our processor from admission to its picture, without the provider's work."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text

from bench.figures import Figure
from bench.places import Place, cpu_seconds
from bench.processor import family_cpu_seconds, parent_of
from bench.studios import Studio, studio
from medici.kernel.db.database import Database

ROUNDS = 3
RENDERS = 300
ALL, SERVER, WORKER, PICTURES, DATABASE = (
    "a render's CPU, server and worker",
    "  of it: server",
    "  of it: worker",
    "  of it: the worker's image processes",
    "  beside it: PostgreSQL",
)
EXTENT = """
    SELECT pg_database_size(current_database()), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')
"""
PROMISES = {ALL: "4 ms"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """Reads what processes have used so far."""

    server: int
    worker: int
    postmaster: int | None  # where the database is a process

    def seconds(self) -> Mapping[str, float]:
        server, worker = family_cpu_seconds(self.server), family_cpu_seconds(self.worker)
        used = {
            ALL: server + worker,
            SERVER: server,
            WORKER: worker,
            PICTURES: worker - cpu_seconds(self.worker),
        }
        if self.postmaster is not None:
            used[DATABASE] = family_cpu_seconds(self.postmaster)
        return used


async def measure(place: Place) -> list[Figure]:
    """Have renders admitted and delivered, and add up what each process used for them."""
    async with studio(place) as rooms:
        meter = Meter(
            server=rooms.server.pid,
            worker=rooms.worker.pid,
            postmaster=await _postmaster(rooms.database),
        )
        await _render(rooms)  # connections, statements and the image process are warm from here on
        rounds = [await _metered(rooms, meter) for _ in range(ROUNDS)]
        grown = await _grown(rooms)
    return [
        *(
            Figure(
                what=what,
                where=place.name,
                unit="ms",
                rounds=[one[what] for one in rounds],
                promise=PROMISES.get(what, ""),
            )
            for what in rounds[0]
        ),
        *(
            Figure(what=what, where=place.name, unit="KiB", rounds=[kib])
            for what, kib in grown.items()
        ),
    ]


async def _grown(rooms: Studio) -> Mapping[str, float]:
    """Return what a render adds to PostgreSQL's files and to its log, in KiB."""
    if rooms.database.dialect != "postgresql":
        return {}
    size, log = await _extent(rooms.database)
    await _render(rooms)
    after_size, after_log = await _extent(rooms.database)
    return {
        "  it leaves: rows and indexes": (after_size - size) / 1024 / RENDERS,
        "  it leaves: write-ahead log": (after_log - log) / 1024 / RENDERS,
    }


async def _extent(database: Database) -> tuple[int, int]:
    """Return the bytes of the database's files, and those that its log has ever had."""
    async with database.reading() as session:
        found = await session.execute(text(EXTENT))
        size, log = found.one()
    return int(size), int(log)


async def _metered(rooms: Studio, meter: Meter) -> Mapping[str, float]:
    """Return the milliseconds that a render took of each process."""
    before = meter.seconds()
    await _render(rooms)
    after = meter.seconds()
    return {what: 1000 * (after[what] - before[what]) / RENDERS for what in after}


async def _render(rooms: Studio) -> None:
    await rooms.admit(RENDERS)
    await rooms.until_delivered()


async def _postmaster(database: Database) -> int | None:
    """Return the process whose children serve our connections; None where there is none."""
    if database.dialect != "postgresql":
        return None
    async with database.reading() as session:
        backend = await session.scalar(text("SELECT pg_backend_pid()"))
    return parent_of(int(backend))
