"""Kinds of work for these tests: what they did stands in a table, so that no kill can hide it."""

import asyncio
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from medici.jobs.handlers import Registry, handles
from medici.jobs.kinds import JobKind, Queue
from medici.jobs.run import Again, Run
from medici.kernel.db.database import Database
from medici.kernel.errors import Kind, MediciError
from tests.jobs.waiting import until_true

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def clock() -> datetime:
    return NOW


def draw() -> float:
    return 0.0


class Busy(MediciError):
    kind = Kind.UNAVAILABLE
    code = "busy"


class Refused(MediciError):
    kind = Kind.INVALID
    code = "refused"


ERRORS: dict[str, Exception] = {
    "busy": Busy("come back later"),
    "refused": Refused("never"),
    "bug": ZeroDivisionError("secret"),
}


@dataclass
class Bench:
    """What handlers share with the test that watches them."""

    started: list[UUID] = field(default_factory=list)
    cancelled: list[UUID] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)


NOTE = JobKind(name="tests.note")
HOLD = JobKind(name="tests.hold", queue=Queue.IMAGE)
FAIL = JobKind(name="tests.fail", attempts=3)
POLL = JobKind(name="tests.poll", queue=Queue.POLLING)
POISON = JobKind(name="tests.poison", attempts=10)
SLOW = JobKind(name="tests.slow", attempts=1, timeout_seconds=0.05)
AWAIT = JobKind(name="tests.await")
SILENT = JobKind(name="tests.silent", attempts=1)


async def make_effects(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE effects (job_id TEXT, word TEXT)"))


async def effect(session: AsyncSession, job_id: UUID, word: str) -> None:
    await session.execute(
        text("INSERT INTO effects VALUES (:id, :word)"), {"id": str(job_id), "word": word}
    )


async def effects(database: Database) -> list[tuple[str, str]]:
    async with database.reading() as session:
        rows = await session.execute(text("SELECT job_id, word FROM effects ORDER BY job_id, word"))
        return [(row.job_id, row.word) for row in rows]


async def last_words(run: Run[Bench], *, error: str = "", reason: str) -> None:
    async with run.transaction() as session:
        await effect(session, run.id, f"buried: {reason}")


@handles(NOTE)
async def note(run: Run[Bench], *, word: str = "noted") -> None:
    async with run.transaction() as session:
        await effect(session, run.id, word)
        await run.finish(session)


@handles(HOLD)
async def hold(run: Run[Bench]) -> None:
    run.resources.started.append(run.id)
    try:
        await run.resources.release.wait()
    except asyncio.CancelledError:
        run.resources.cancelled.append(run.id)
        raise
    async with run.transaction() as session:
        await effect(session, run.id, "held")


@handles(FAIL, buried=last_words)
async def fail(run: Run[Bench], *, error: str) -> None:
    run.resources.started.append(run.id)
    raise ERRORS[error]


@handles(POLL)
async def poll(run: Run[Bench], *, times: int, wait_seconds: float = 60) -> Again | None:
    run.resources.started.append(run.id)
    if len(run.resources.started) < times:
        return Again(at=run.now() + timedelta(seconds=wait_seconds))
    return None


async def poison_last_words(run: Run[Bench], *, reason: str) -> None:
    async with run.transaction() as session:
        await effect(session, run.id, f"buried: {reason}")


@handles(POISON, buried=poison_last_words)
async def poison(run: Run[Bench]) -> None:
    os._exit(1)


@handles(SLOW)
async def slow(run: Run[Bench]) -> None:
    await asyncio.Event().wait()


@handles(SILENT)
async def silent(run: Run[Bench]) -> None:
    """Do nothing and leave the end to the worker."""


@handles(AWAIT)
async def await_file(run: Run[Bench], *, path: str) -> None:
    """Write once a file is there: a sign that reaches another process, too."""
    await until_true(lambda: Path(path).exists(), within=60)
    async with run.transaction() as session:
        await effect(session, run.id, "seen")
        await run.finish(session)


REGISTRY = Registry([await_file, note, hold, fail, poll, poison, slow, silent])
