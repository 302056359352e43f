"""Whatever happens to a render, in any order and more than once: it ends once and is paid once."""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.failure import FailureCode
from medici.adapters.providers.provider import (
    CancelOutcome,
    Cost,
    Observation,
    Phase,
    Submission,
)
from medici.adapters.providers.request import Operation, Tier
from medici.domain.ledger.audit import audit
from medici.domain.ledger.models import Hold
from medici.domain.pictures.service import PictureFacts
from medici.domain.rendering import queries, rules
from medici.domain.rendering.errors import InputUnusable
from medici.domain.rendering.models import RenderJob
from medici.domain.rendering.rules import Next, Policy, Standing
from medici.domain.rendering.service import settle
from medici.domain.rendering.service.beginning import Vendors, begin
from medici.domain.rendering.service.cancel import cancel
from medici.domain.rendering.service.choosing import Wait
from medici.domain.rendering.service.delivering import Delivery, deliver
from medici.domain.rendering.service.following import accepted, observed
from medici.domain.rendering.service.submit import ImageSource, RenderOrder, submit
from medici.domain.routing.models import ProviderCircuit
from medici.kernel.db.database import Database
from tests.domain.rendering.model import Try, expected_hold, shown
from tests.doors.support import NOW
from tests.support.databases import Template, opened
from tests.support.painters import ESTIMATE, RUNNING, SUCCEEDED, Painter, fails
from tests.support.studio import ADA, opened_studio

T = TypeVar("T")

# On SQLite and on PostgreSQL, where each example takes longer.
PROFILES = {"ci": (50, 10), "nightly": (5_000, 2_000)}
EXAMPLES = PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "ci")]
SETTINGS = settings(
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
PICKS = st.integers(0, 9)
ORDER = RenderOrder(
    project_id="home",
    style_id="modern",
    operation=Operation.RESTYLE,
    image=ImageSource(url="https://example.com/room.jpg"),
    tier=Tier.FINAL,
)
FACTS = PictureFacts(content_type="image/png", width=8, height=8, size_bytes=8)
CHAIN = ("painter", "sculptor")


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A database with a customer in it, and the event loop that it belongs to."""

    database: Database
    runner: asyncio.Runner

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)


class RenderMachine(RuleBasedStateMachine):
    """One job, from its order, in one transaction that is rolled back in the end."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self.run = bench.run
        self.session = AsyncSession(bench.database.engine, expire_on_commit=False)
        self.tries: list[Try] = []
        self.position = 0
        self.retries = 0
        self.end: str | None = None
        self.output: UUID | None = None

    @initialize()
    def order(self) -> None:
        job = self.run(
            submit(self.session, user_id=ADA, order=ORDER, registered=frozenset(CHAIN), now=NOW)
        )
        self.job_id = job.id

    @rule()
    def begin(self) -> None:
        self.run(self.session.execute(delete(ProviderCircuit)))  # their health is not of this test
        begun = self.run(
            begin(
                self.session,
                self.job_id,
                vendors=Vendors(),
                estimate=lambda _: Cost(amount_micros=ESTIMATE),
                now=NOW,
            )
        )
        assert not isinstance(begun, Wait)
        last = self.tries[-1] if self.tries else None
        if self.end or (last and last.state == "running"):
            assert begun is None
        elif last and last.state == "sending":
            assert begun is not None
            assert (begun.attempt.id, begun.resumed) == (last.id, True)
        else:
            assert begun is not None
            assert (begun.attempt.provider, begun.resumed) == (CHAIN[self.position], False)
            self.tries.append(Try(begun.attempt.id, begun.attempt.provider))

    @precondition(lambda self: self.tries)
    @rule(pick=PICKS)
    def accepted(self, pick: int) -> None:
        one = self.picked(pick)
        submission = Submission(ref={"id": str(one.id)}, observation=RUNNING)
        self.run(accepted(self.session, self.job_id, one.id, submission, chance=0.5, now=NOW))
        if one.is_open and not self.end:
            one.state = "running"

    @precondition(lambda self: self.tries)
    @rule(pick=PICKS)
    def observed(self, pick: int) -> None:
        one = self.picked(pick)
        self.run(observed(self.session, self.job_id, one.id, RUNNING, now=NOW))

    @precondition(lambda self: self.tries)
    @rule(pick=PICKS, price=st.none() | st.integers(0, 50_000))
    def deliver(self, pick: int, price: int | None) -> None:
        one = self.picked(pick)
        cost = None if price is None else Cost(amount_micros=price)
        seen = Observation(phase=Phase.SUCCEEDED, cost=cost)
        delivery = Delivery(
            job_id=self.job_id,
            attempt_id=one.id,
            facts=FACTS,
            ref={"id": str(one.id)},
            observation=seen,
            now=NOW,
        )
        self.run(deliver(self.session, delivery))
        if not one.is_open:
            return
        one.state, one.cost = "succeeded", ESTIMATE if price is None else price
        if not self.end:
            self.end, self.output = "succeeded", one.id

    @precondition(lambda self: self.tries)
    @rule(pick=PICKS, code=st.sampled_from(FailureCode), costs=st.booleans())
    def fail(self, pick: int, code: FailureCode, costs: bool) -> None:
        one = self.picked(pick)
        failure = fails(code)
        self.run(
            settle.fail_attempt(
                self.session,
                self.job_id,
                one.id,
                failure,
                cost=Cost(amount_micros=5) if costs else None,
                chance=0.5,
                now=NOW,
            )
        )
        if not one.is_open:
            return
        one.state, one.cost = "failed", 5 if costs else None
        if not self.end:
            self.go_on(one, code)

    def go_on(self, one: Try, code: FailureCode) -> None:
        standing = Standing(
            tries_here=sum(other.provider == one.provider for other in self.tries),
            retries=self.retries,
            has_next=self.position + 1 < len(CHAIN),
        )
        match rules.after_failure(fails(code), standing, Policy()):
            case Next.RETRY:
                self.retries += 1
            case Next.FALL_BACK:
                self.position += 1
            case Next.STOP:
                self.end = rules.final_state(fails(code))[0]

    @rule()
    def cancel(self) -> None:
        _, canceled = self.run(cancel(self.session, self.job_id, user_id=ADA, now=NOW))
        assert canceled is (self.end is None)
        self.end = self.end or "canceled"

    @precondition(lambda self: self.tries)
    @rule(pick=PICKS, outcome=st.sampled_from(CancelOutcome))
    def abandon(self, pick: int, outcome: CancelOutcome) -> None:
        one = self.picked(pick)
        if not self.end:
            return  # a provider is told to stop only for a job that has ended
        self.run(settle.abandon_attempt(self.session, one.id, outcome, now=NOW))
        if one.is_open:
            one.state = "canceled"

    @rule(unusable=st.booleans())
    def give_up(self, unusable: bool) -> None:
        if unusable:
            error = InputUnusable("input_image_gone", "gone")
            self.run(settle.refuse_input(self.session, self.job_id, error, now=NOW))
        else:
            self.run(settle.give_up(self.session, self.job_id, reason="worker_lost", now=NOW))
        for one in self.tries:
            one.state = "uncertain" if one.is_open else one.state
        self.end = self.end or "failed"

    @rule()
    def deliver_again(self) -> None:
        if self.output is not None:
            seen = Delivery(
                job_id=self.job_id,
                attempt_id=self.output,
                facts=FACTS,
                ref={"id": "again"},
                observation=SUCCEEDED,
                now=NOW,
            )
            self.run(deliver(self.session, seen))

    @invariant()
    def agrees_with_the_model(self) -> None:
        if hasattr(self, "job_id"):
            self.run(self.compare())

    def picked(self, pick: int) -> Try:
        return self.tries[pick % len(self.tries)]

    async def compare(self) -> None:
        job = await self.session.get_one(RenderJob, self.job_id, populate_existing=True)
        stored = await queries.attempts_of(self.session, self.job_id)
        assert [shown(one) for one in stored] == [
            (one.id, one.provider, one.state, one.cost) for one in self.tries
        ]
        assert (job.state.value if job.state.is_terminal else None) == self.end
        assert (job.output_id, job.finished_at is not None) == (self.output, self.end is not None)
        assert (job.position, job.retries) == (self.position, self.retries)
        assert (job.actual_cost_micros or 0) == sum(one.cost or 0 for one in self.tries)
        assert sum(one.is_open for one in self.tries) <= 1 or self.end
        hold = await self.session.get_one(Hold, job.hold_id, populate_existing=True)
        assert hold.status is expected_hold(job.state)

    def teardown(self) -> None:
        try:
            assert self.run(audit(self.session)) == []
        finally:
            self.run(self.session.close())


@asynccontextmanager
async def furnished(template: Template, directory: Path) -> AsyncIterator[Database]:
    """Give a database with providers, plans and ada in it."""
    async with template.copy(directory) as url, opened(url) as database:
        painters = (Painter(name=name) for name in CHAIN)
        async with opened_studio(database, directory, *painters) as studio:
            await studio.customer()
        yield database


def test_agrees_with_a_small_model(template: Template, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        house = furnished(template, tmp_path)
        database = runner.run(house.__aenter__())
        bench = Bench(database=database, runner=runner)
        try:
            run_state_machine_as_test(
                lambda: RenderMachine(bench),  # type: ignore[arg-type]  # it calls what it gets
                settings=settings(SETTINGS, max_examples=EXAMPLES[database.dialect != "sqlite"]),
            )
        finally:
            runner.run(house.__aexit__(None, None, None))
