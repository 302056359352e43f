"""The queue's statements on rows in memory; what becomes of a run, the product's rules say."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from medici.jobs.claims import Claim
from medici.jobs.errors import LeaseLost
from medici.jobs.kinds import JobKind
from medici.jobs.models import State
from medici.jobs.outcomes import Lost, Outcome, following_from
from medici.jobs.rules import Next, Standing, after_done, after_loss
from medici.jobs.settlement import FINAL
from tests.sim.bugs import Bug
from tests.sim.rows import JobRow, Store, Violation

LEASE_SECONDS = 15.0


class Queue:
    """Enqueues, claims, takes back and settles jobs."""

    def __init__(self, store: Store, bug: Bug | None) -> None:
        self._store = store
        self._bug = bug
        self._unfinished: dict[UUID, JobRow] = {}
        self._by_key: dict[tuple[str, str], JobRow] = {}

    @property
    def unfinished(self) -> list[JobRow]:
        return list(self._unfinished.values())

    def enqueue(
        self,
        kind: JobKind,
        args: Mapping[str, object],
        *,
        now: datetime,
        run_at: datetime | None = None,
        key: str | None = None,
    ) -> None:
        delay = max((run_at - now).total_seconds(), 0.0) if run_at else 0.0
        due_at = self._store.after(delay)
        if key is not None and (row := self._by_key.get((kind.name, key))) is not None:
            _ring(row, due_at)
            return
        row = JobRow(id=self._store.new_id(), kind=kind, args=dict(args), key=key, due_at=due_at)
        self._store.jobs[row.id] = self._unfinished[row.id] = row
        if key is not None:
            self._by_key[kind.name, key] = row

    def due(self) -> list[JobRow]:
        now = self._store.moment
        rows = self._unfinished.values()
        return [row for row in rows if row.state is State.READY and row.due_at <= now]

    def claim(self, row: JobRow) -> Claim:
        row.state = State.RUNNING
        row.attempts += 1
        row.fence += 1
        row.lease_until = self._store.after(LEASE_SECONDS)
        return Claim(
            id=row.id, kind=row.kind.name, args=row.args, fence=row.fence, standing=row.standing
        )

    def extend(self, claim: Claim) -> bool:
        """Renew a lease; tell whether it is still held."""
        row = self._store.jobs[claim.id]
        if not is_held(row, claim):
            return False
        row.lease_until = self._store.after(LEASE_SECONDS)
        return True

    def recover_lost(self, worker_now: datetime) -> None:
        """Take jobs back whose lease is over by the database's clock."""
        judge = worker_now if self._bug is Bug.EARLY_THEFT else self._store.moment
        for row in self.unfinished:
            if row.lease_until is None or row.lease_until > judge:
                continue
            if row.lease_until > self._store.moment:
                raise Violation(f"job {row.id.int} was taken back before its lease had ended")
            self._write(row, after_loss(row.standing), now=None)

    def held(self, claim: Claim) -> Standing | None:
        row = self._store.jobs[claim.id]
        blind = self._bug is Bug.NO_FENCE
        return row.standing if blind or is_held(row, claim) else None

    def finish(self, claim: Claim) -> None:
        standing = self.held(claim)
        if standing is None:
            raise LeaseLost(claim.id)
        self._write(self._store.jobs[claim.id], after_done(standing), now=None)

    def settle(self, claim: Claim, outcome: Outcome, *, now: datetime, draw: float) -> None:
        row = self._store.jobs[claim.id]
        standing = row.standing if is_held(row, claim) else None
        if standing is None or isinstance(outcome, Lost):
            return
        self._write(row, following_from(standing, outcome, now=now, draw=draw), now=now)

    def _write(self, row: JobRow, following: Next, *, now: datetime | None) -> None:
        row.state = following.state
        row.attempts, row.losses = following.attempts, following.losses
        row.burial, row.rung = following.burial, following.rung
        row.fence += 1
        row.lease_until = None
        if following.state in FINAL:
            self._forget(row)
        elif following.delay_seconds is not None:
            due_at = self._store.after(following.delay_seconds)
            row.due_at = min(row.due_at, due_at) if following.asked else due_at

    def _forget(self, row: JobRow) -> None:
        self._unfinished.pop(row.id, None)
        if row.key is not None and self._by_key.get((row.kind.name, row.key)) is row:
            del self._by_key[row.kind.name, row.key]


def is_held(row: JobRow, claim: Claim) -> bool:
    return row.state is State.RUNNING and row.fence == claim.fence


def _ring(row: JobRow, due_at: datetime) -> None:
    """Let the job that has this key already do this work too."""
    runs = row.state is State.RUNNING
    if (runs and not row.rung) or due_at < row.due_at:
        row.due_at = due_at
    row.rung = row.rung or runs or row.burial is not None
