"""Whose turn it is: the first candidate that is healthy and has room, in the order of the route."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.rendering import queries, rules
from medici.domain.rendering.models import RenderJob
from medici.domain.routing import queries as routing
from medici.domain.routing import service as health
from medici.domain.routing.circuits import CLOSED, Circuit
from medici.domain.routing.settings import InFlightCap
from medici.kernel.db.locks import lock_name

NO_CAP = InFlightCap()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The candidate to send to, as its place in the job's route."""

    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nobody can take the job now, but somebody may from ``until`` on."""

    until: datetime


async def choose(
    session: AsyncSession, job: RenderJob, *, vendor_caps: Mapping[str, int], now: datetime
) -> Chosen | Wait | None:
    """Return whose turn it is in a locked job; None where nobody is left.

    ``vendor_caps`` is how many open attempts a provider takes at most by its own account.
    """
    operator_caps = (await routing.published(session)).settings.in_flight_caps
    circuits = await routing.open_circuits(session, job.operation)
    full = False
    for position in range(job.position, len(job.candidates)):
        provider = job.candidates[position][0]
        circuit = circuits.get(provider, CLOSED)
        if not circuit.admits(now):
            continue
        cap = operator_caps.get(provider, NO_CAP)
        if not await _has_room(session, job, provider, cap, vendor_caps.get(provider)):
            full = True
        elif not circuit.is_open or await health.begin_trial(
            session, provider=provider, operation=job.operation, now=now
        ):
            return Chosen(position=position)
    return _patience(job, circuits, full=full, now=now)


def _patience(
    job: RenderJob, circuits: Mapping[str, Circuit], *, full: bool, now: datetime
) -> Wait | None:
    """Return how long to wait for somebody of the route, if that may help."""
    left = {provider for provider, _ in job.candidates[job.position :]}
    moments = [
        circuit.retry_at
        for provider, circuit in circuits.items()
        if provider in left and circuit.retry_at is not None
    ]
    if full:
        moments.append(now + rules.FULL_PAUSE)
    if not moments or now - job.created_at > rules.PLACE_PATIENCE:
        return None
    until = max(min(moments), now + timedelta(seconds=1))
    return Wait(until=until) if until - now <= rules.CIRCUIT_PATIENCE else None


async def _has_room(
    session: AsyncSession, job: RenderJob, provider: str, cap: InFlightCap, own: int | None
) -> bool:
    total = min((most for most in (cap.total, own) if most is not None), default=None)
    of_operation = cap.by_operation.get(job.operation)
    if total is None and of_operation is None:
        return True
    await lock_name(session, f"in_flight:{provider}")  # or two would both take the last place
    if total is not None and await queries.open_attempts(session, provider) >= total:
        return False
    return of_operation is None or (
        await queries.open_attempts(session, provider, job.operation) < of_operation
    )
