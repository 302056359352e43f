"""Any history of one job, held against a small model of what ought to become of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import TypeAlias
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medici.jobs.claims import Claim, Claimant, claim_one_due
from medici.jobs.errors import JobNotDead, JobSucceeded
from medici.jobs.failures import Failure
from medici.jobs.kinds import JobKind
from medici.jobs.leases import recover_lost
from medici.jobs.models import State
from medici.jobs.outcomes import Again, Done, Failed, HandedBack, Outcome
from medici.jobs.queue import cancel, enqueue, revive
from medici.jobs.settlement import settle
from medici.kernel.db.database import Database
from medici.kernel.ids import new_id
from tests.jobs.acts import job, let_lapse
from tests.jobs.work import NOW

KIND = JobKind(name="tests.machine", attempts=2)
UNDERTAKERS = 8
LIVES = 3


@dataclass(frozen=True)
class Model:
    """What we expect of the row. Two phases: the work itself, then perhaps its burial."""

    state: str = "ready"
    tries: int = 0
    losses: int = 0
    buried_for: str | None = None
    asked_again: bool = False
    heir: bool = False  # another job has the key now

    @property
    def worn_out(self) -> bool:
        return self.tries >= (UNDERTAKERS if self.buried_for else KIND.attempts)

    def claimed(self) -> "Model":
        return replace(self, state="running", tries=self.tries + 1)

    def given_up(self, reason: str) -> "Model":
        if self.buried_for is None:
            return replace(self, state="ready", tries=0, losses=0, buried_for=reason)
        return self.ended("dead")

    def ended(self, state: str) -> "Model":
        return Model() if self.asked_again else replace(self, state=state)

    def back(self, *, tries: int, losses: int) -> "Model":
        """Wait for another run. A new run of the work itself answers whoever asked again."""
        kept = self.asked_again and self.buried_for is not None
        return replace(self, state="ready", tries=tries, losses=losses, asked_again=kept)

    def done(self) -> "Model":
        return self.ended("dead" if self.buried_for else "done")

    def failed(self) -> "Model":
        return self.given_up("busy") if self.worn_out else self.back(tries=self.tries, losses=0)

    def lost(self) -> "Model":
        suspect = self.losses + 1 == LIVES and self.buried_for is None
        if suspect or self.worn_out:
            return self.given_up("worker_lost")
        return self.back(tries=self.tries, losses=self.losses + 1)

    def asked(self) -> "Model":
        if self.state not in {"ready", "running"}:
            return replace(self, heir=True)
        missed = self.state == "running" or self.buried_for is not None
        return replace(self, asked_again=self.asked_again or missed)


BUSY = Failed(failure=Failure(code="busy", message="", first_wait_seconds=2.0))
REFUSED = Failed(failure=Failure(code="refused", message="", first_wait_seconds=None))
ENDS: dict[str, tuple[Outcome, Callable[[Model], Model]]] = {
    "done": (Done(), Model.done),
    "again": (Again(at=NOW), lambda model: model.back(tries=0, losses=0)),
    "fail": (BUSY, Model.failed),
    "refuse": (REFUSED, lambda model: model.given_up("refused")),
    "hand back": (
        HandedBack(),
        lambda model: model.back(tries=model.tries - 1, losses=model.losses),
    ),
}
Step: TypeAlias = tuple[str, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from([*ENDS, "claim", "claim", "claim", "lose", "ask", "cancel", "revive"]),
        st.integers(min_value=0, max_value=3),  # which claim ends: 0 is the newest
    ),
    min_size=1,
    max_size=30,
)


class Machine:
    """The real job beside its model."""

    def __init__(self, database: Database, job_id: UUID, key: str) -> None:
        self.database = database
        self.job_id = job_id
        self.key = key
        self.model = Model()
        self.claims: list[Claim] = []

    async def step(self, name: str, back: int) -> None:
        if name in ENDS:
            await self.end(name, back)
        else:
            await getattr(self, name)()

    async def claim(self) -> None:
        claimant = Claimant(worker=new_id(), lease_seconds=3600)
        async with self.database.transaction() as session:
            claim = await claim_one_due(session, claimant, self.job_id)
        assert (claim is not None) == (self.model.state == "ready")
        if claim is not None:
            self.claims.append(claim)
            self.model = self.model.claimed()

    async def end(self, name: str, back: int) -> None:
        """End the newest run, or let one that was robbed of its lease try to."""
        if back >= len(self.claims):
            return
        outcome, expected = ENDS[name]
        async with self.database.transaction() as session:
            following = await settle(session, self.claims[-1 - back], outcome, now=NOW, draw=0.0)
        holds = back == 0 and self.model.state == "running"
        assert (following is not None) == holds
        if holds:
            self.model = expected(self.model)

    async def lose(self) -> None:
        if self.model.state != "running":
            return
        await let_lapse(self.database, self.job_id)
        async with self.database.transaction() as session:
            assert await recover_lost(session) >= 1
        self.model = self.model.lost()

    async def ask(self) -> None:
        async with self.database.transaction() as session:
            asked = await enqueue(session, KIND, now=NOW, args={}, key=self.key)
        self.model = self.model.asked()
        assert (asked == self.job_id) == (not self.model.heir)

    async def cancel(self) -> None:
        alive = self.model.state in {"ready", "running"}
        async with self.database.transaction() as session:
            assert await cancel(session, self.job_id) == alive
        if alive:
            self.model = replace(self.model, state="canceled", asked_again=False)

    async def revive(self) -> None:
        try:
            async with self.database.transaction() as session:
                await revive(session, self.job_id)
        except JobNotDead:
            assert self.model.state != "dead"
        except JobSucceeded:
            assert (self.model.state, self.model.heir) == ("dead", True)
        else:
            assert (self.model.state, self.model.heir) == ("dead", False)
            self.model = Model()

    async def check(self) -> None:
        row = await job(self.database, self.job_id)
        assert (row.state, row.attempts, row.losses, row.burial, row.rung) == (
            State(self.model.state),
            self.model.tries,
            self.model.losses,
            self.model.buried_for,
            self.model.asked_again,
        )
        assert (row.finished_at is not None) == (self.model.state in {"done", "dead", "canceled"})
        assert all(old.fence < new.fence for old, new in pairwise(self.claims))


class TestJob:
    @settings(
        max_examples=80,
        deadline=timedelta(seconds=20),
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(steps=STEPS)
    async def test_follows_the_model_through_any_history(
        self, database: Database, steps: list[Step]
    ) -> None:
        key = str(new_id())
        async with database.transaction() as session:
            job_id = await enqueue(session, KIND, now=NOW, args={}, key=key)
        machine = Machine(database, job_id, key)

        for name, back in steps:
            await machine.step(name, back)
            await machine.check()
