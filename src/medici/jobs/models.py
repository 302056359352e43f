"""The tables of background work."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, TextClause, false, text
from sqlalchemy.orm import Mapped, mapped_column

from medici.jobs.kinds import Queue
from medici.kernel.db.base import Base, enum_column


class State(StrEnum):
    """Where a job stands. The last three are final, until a dead one is revived."""

    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"
    CANCELED = "canceled"


# Written out rather than bound: a partial index serves only a condition that is plain to see.
IS_READY = text("state = 'ready'")
IS_RUNNING = text("state = 'running'")
IS_DEAD = text("state = 'dead'")
IS_UNFINISHED_WITH_KEY = text("key IS NOT NULL AND state IN ('ready', 'running')")


def _where(name: str, *columns: str, only: TextClause, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, postgresql_where=only, sqlite_where=only)


class Job(Base):
    """One unit of background work. Finished rows stay a day, and no claim ever looks at them."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("(state = 'running') = (lease_until IS NOT NULL)", name="leased"),
        _where("ix_jobs_ready", "queue", "due_at", only=IS_READY),
        _where("ix_jobs_running", "lease_until", only=IS_RUNNING),
        _where("ix_jobs_dead", "finished_at", only=IS_DEAD),
        _where("uq_jobs_unfinished", "kind", "key", only=IS_UNFINISHED_WITH_KEY, unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    queue: Mapped[Queue] = mapped_column(enum_column(Queue))
    args: Mapped[dict[str, object]]
    key: Mapped[str | None]
    state: Mapped[State] = mapped_column(enum_column(State), server_default=State.READY)
    run_at: Mapped[datetime]  # as the caller asked, by the caller's clock
    due_at: Mapped[datetime]  # the same moment by the database's clock: what workers go by
    attempts: Mapped[int] = mapped_column(server_default=text("0"))  # since a run ended well
    max_attempts: Mapped[int]
    losses: Mapped[int] = mapped_column(server_default=text("0"))  # workers it outlived in a row
    burial: Mapped[str | None]  # why it is given up, while its last words are still to be run
    rung: Mapped[bool] = mapped_column(server_default=false())  # asked for again while it ran
    fence: Mapped[int] = mapped_column(server_default=text("0"))  # raised by each claim and end
    lease_until: Mapped[datetime | None]
    worker: Mapped[UUID | None]
    last_error_code: Mapped[str | None]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]  # of the newest run, by the database's clock
    finished_at: Mapped[datetime | None]  # by the database's clock


class JobSchedule(Base):
    """When a schedule is next to enqueue its job."""

    __tablename__ = "job_schedules"

    name: Mapped[str] = mapped_column(primary_key=True)
    rhythm: Mapped[str]  # what next_at was reckoned by; another one starts anew
    next_at: Mapped[datetime]
    last_at: Mapped[datetime | None]


class JobWorker(Base):
    """A worker that is, or lately was, alive."""

    __tablename__ = "job_workers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
