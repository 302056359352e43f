"""The intent to send: stored before a provider is called, for many jobs at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.provider import Cost, ProviderRegistry
from medici.domain.rendering import rules
from medici.domain.rendering.errors import NobodyLeft, RenderJobNotFound
from medici.domain.rendering.models import AttemptState, ProviderMode, RenderState
from medici.domain.rendering.rows import (
    AttemptRow,
    JobRow,
    attempts_of_jobs,
    insert_attempts,
    locked_jobs,
    write_jobs,
)
from medici.domain.rendering.service.choosing import Places, Wait
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.errors import MediciError
from medici.kernel.ids import new_id

Estimate: TypeAlias = Callable[[AttemptRow], Cost]
"""Tells what an attempt will cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendors:
    """What the providers say about themselves: which only pretend, and what they take at once."""

    stubs: frozenset[str] = frozenset()
    caps: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, registry: ProviderRegistry) -> "Vendors":
        said = {name: one.capabilities() for name, one in registry.by_name.items()}
        return cls(
            stubs=frozenset(name for name, can in said.items() if can.stub),
            caps={
                name: can.max_in_flight
                for name, can in said.items()
                if can.max_in_flight is not None
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """A job that is to be sent to the provider whose turn it is."""

    job_id: UUID
    vendors: Vendors
    estimate: Estimate
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An attempt whose intent is stored. ``resumed`` tells that its answer was lost before."""

    job: JobRow
    attempt: AttemptRow
    resumed: bool


Outcome: TypeAlias = Begun | Wait | MediciError | None


async def begin(
    session: AsyncSession, job_id: UUID, *, vendors: Vendors, estimate: Estimate, now: datetime
) -> Begun | Wait | None:
    """Begin one job in a session's transaction; raises what ``begin_all`` would answer."""
    beginning = Beginning(job_id=job_id, vendors=vendors, estimate=estimate, now=now)
    (outcome,) = await begin_all(await driver_of(session), [beginning])
    if isinstance(outcome, MediciError):
        raise outcome
    return outcome


async def begin_all(driver: Driver, beginnings: Sequence[Beginning]) -> list[Outcome]:
    """Store the intent to send each job to the provider whose turn it is.

    None means that there is nothing to send: the job has ended, or its work is already running;
    ``NobodyLeft`` that no provider of the route can be asked, now or soon.
    """
    if not beginnings:
        return []
    ids = {beginning.job_id for beginning in beginnings}
    jobs = await locked_jobs(driver, ids)
    attempts = await attempts_of_jobs(driver, ids)
    places = await Places.read(driver, jobs.values(), vendor_caps=beginnings[0].vendors.caps)
    outcomes: list[Outcome] = []
    for beginning in beginnings:
        job = jobs.get(beginning.job_id)
        earlier = attempts[beginning.job_id]
        outcome = await _outcome(beginning, job, earlier, places) if job else RenderJobNotFound()
        if isinstance(outcome, Begun) and not outcome.resumed:
            jobs[outcome.job.id] = outcome.job
            earlier.append(outcome.attempt)
        outcomes.append(outcome)
    new = [each for each in outcomes if isinstance(each, Begun) and not each.resumed]
    await insert_attempts(driver, [begun.attempt for begun in new])
    await write_jobs(driver, [begun.job for begun in new])
    return outcomes


async def _outcome(
    beginning: Beginning, job: JobRow, earlier: Sequence[AttemptRow], places: Places
) -> Outcome:
    if job.state.is_terminal:
        return None
    if earlier and earlier[-1].state.is_open:
        lost = earlier[-1].state is AttemptState.SENDING
        return Begun(job=job, attempt=earlier[-1], resumed=True) if lost else None
    choice = await places.choose(job, now=beginning.now)
    if choice is None:
        return NobodyLeft("every provider of the route is switched off by its failures")
    if isinstance(choice, Wait):
        return choice
    return _begun(beginning, replace(job, position=choice.position), number=len(earlier) + 1)


def _begun(beginning: Beginning, job: JobRow, *, number: int) -> Begun:
    provider, model = job.candidates[job.position]
    draft = AttemptRow(
        id=new_id(),
        render_job_id=job.id,
        number=number,
        provider=provider,
        model=model,
        created_at=beginning.now,
        deadline_at=beginning.now + rules.ATTEMPT_LIFETIME,
    )
    cost = beginning.estimate(draft)
    attempt = replace(
        draft, estimated_cost_micros=cost.amount_micros, price_version=cost.price_version
    )
    pretends = provider in beginning.vendors.stubs
    sent = replace(
        job,
        state=RenderState.SENDING,
        provider=provider,
        provider_model=model,
        provider_mode=ProviderMode.STUB if pretends else ProviderMode.LIVE,
        estimated_cost_micros=cost.amount_micros,
        updated_at=beginning.now,
    )
    return Begun(job=sent, attempt=attempt, resumed=False)
