"""Whose turn it is: the first candidate that is healthy and has room, in the order of the route."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from medici.adapters.providers.request import Operation
from medici.domain.rendering import rules
from medici.domain.rendering.models import RenderAttempt, RenderJob
from medici.domain.rendering.rows import JobRow
from medici.domain.routing import queries as routing
from medici.domain.routing import service as health
from medici.domain.routing.circuits import CLOSED, Circuit, tried
from medici.domain.routing.settings import InFlightCap
from medici.kernel.db.driver.query import Query, any_of
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.db.locks import lock_names

NO_CAP = InFlightCap()
OPEN_ATTEMPTS = Query(
    select(RenderAttempt.provider, RenderJob.operation, func.count().label("many"))
    .join(RenderJob, RenderJob.id == RenderAttempt.render_job_id)
    .where(any_of(RenderAttempt.provider, "providers"), RenderAttempt.finished_at.is_(None))
    .group_by(RenderAttempt.provider, RenderJob.operation)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The candidate to send to, as its place in the job's route."""

    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nobody can take the job now, but somebody may from ``until`` on."""

    until: datetime


@dataclass(slots=True, kw_only=True)
class Places:
    """How the providers stand; each choice takes its place here before the next is made."""

    driver: Driver
    circuits: dict[tuple[str, Operation], Circuit]
    caps: Mapping[str, InFlightCap]
    taken: Counter[tuple[str, Operation]]  # open attempts, of providers with a cap

    @classmethod
    async def read(
        cls, driver: Driver, jobs: Collection[JobRow], *, vendor_caps: Mapping[str, int]
    ) -> "Places":
        """Read how the candidates of locked jobs stand.

        ``vendor_caps`` is how many open attempts a provider takes at most by its own account.
        """
        settings = (await routing.published_now(driver)).settings
        caps = _caps(
            {provider for job in jobs for provider in _left(job)},
            settings.in_flight_caps,
            vendor_caps,
        )
        return cls(
            driver=driver,
            circuits=await routing.open_circuits(driver),
            caps=caps,
            taken=await _taken(driver, caps.keys()),
        )

    async def choose(self, job: JobRow, *, now: datetime) -> Chosen | Wait | None:
        """Take a place for a job with the provider whose turn it is; None where nobody is left."""
        full = False
        for position in range(job.position, len(job.candidates)):
            provider = job.candidates[position][0]
            circuit = self.circuits.get((provider, job.operation), CLOSED)
            if not circuit.admits(now):
                continue
            if not self._has_room(provider, job.operation):
                full = True
            elif not circuit.is_open or await self._takes_trial(provider, job, circuit, now):
                self.taken[provider, job.operation] += 1
                return Chosen(position=position)
        return self._patience(job, full=full, now=now)

    async def _takes_trial(
        self, provider: str, job: JobRow, circuit: Circuit, now: datetime
    ) -> bool:
        self.circuits[provider, job.operation] = tried(circuit, now)
        return await health.take_trial(
            self.driver, provider=provider, operation=job.operation, circuit=circuit, now=now
        )

    def _has_room(self, provider: str, operation: Operation) -> bool:
        cap = self.caps.get(provider, NO_CAP)
        held = sum(many for (name, _), many in self.taken.items() if name == provider)
        if cap.total is not None and held >= cap.total:
            return False
        of_operation = cap.by_operation.get(operation)
        return of_operation is None or self.taken[provider, operation] < of_operation

    def _patience(self, job: JobRow, *, full: bool, now: datetime) -> Wait | None:
        """Return how long to wait for somebody of the route, if that may help."""
        circuits = [self.circuits.get((name, job.operation), CLOSED) for name in _left(job)]
        moments = [circuit.retry_at for circuit in circuits if circuit.retry_at is not None]
        if full:
            moments.append(now + rules.FULL_PAUSE)
        if not moments or now - job.created_at > rules.PLACE_PATIENCE:
            return None
        until = max(min(moments), now + timedelta(seconds=1))
        return Wait(until=until) if until - now <= rules.CIRCUIT_PATIENCE else None


def _left(job: JobRow) -> list[str]:
    return [provider for provider, _ in job.candidates[job.position :]]


def _caps(
    providers: Collection[str], said: Mapping[str, InFlightCap], own: Mapping[str, int]
) -> dict[str, InFlightCap]:
    """Return the caps of providers: what the operator says, within what each takes at all."""
    caps = {}
    for provider in providers:
        cap = said.get(provider, NO_CAP)
        most = [each for each in (cap.total, own.get(provider)) if each is not None]
        if most or cap.by_operation:
            caps[provider] = InFlightCap(
                total=min(most, default=None), by_operation=cap.by_operation
            )
    return caps


async def _taken(driver: Driver, providers: Collection[str]) -> Counter[tuple[str, Operation]]:
    if not providers:
        return Counter()
    # Or two would both take the last place.
    await lock_names(driver, [f"in_flight:{provider}" for provider in providers])
    rows = await OPEN_ATTEMPTS.rows(driver, providers=providers)
    return Counter({(row.provider, row.operation): row.many for row in rows})
