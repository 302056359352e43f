"""A version of the provider settings that only some users take. Operators."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from medici.domain.routing import history
from medici.domain.routing.canaries import Health, Limits
from medici.domain.routing.models import CanaryState, ProviderSettingsCanary
from medici.domain.routing.trying import abort, promote
from medici.doors.http.auth import Operator
from medici.doors.http.idempotency import IdempotentRoute
from medici.doors.http.sessions import DbSession, ReadSession
from medici.doors.studio.routing.schemas import BodyAct

router = APIRouter(
    prefix="/v1/admin/provider-settings/canary",
    tags=["provider settings"],
    route_class=IdempotentRoute,
)


class HealthOut(BaseModel):
    """How a version's renders went since the canary began."""

    finished: int
    failed: int
    error_rate: float
    p95_latency_ms: int | None
    average_cost_usd: float | None

    @classmethod
    def of(cls, stored: dict[str, object] | None) -> "HealthOut | None":
        if stored is None:
            return None
        health = Health.model_validate(stored)
        cost = health.average_cost_micros
        return cls(
            finished=health.finished,
            failed=health.failed,
            error_rate=round(health.error_rate, 2),
            p95_latency_ms=health.p95_latency_ms,
            average_cost_usd=None if cost is None else cost / 1_000_000,
        )


class BreachOut(BaseModel):
    """A limit that was broken."""

    limit: str
    allowed: float
    actual: float


class CanaryOut(BaseModel):
    """A canary. ``state`` is ``running``, ``promoted``, ``aborted`` or ``rolled_back``."""

    version: int
    baseline_version: int
    percent: int
    state: CanaryState
    limits: Limits
    started_at: datetime
    ended_at: datetime | None
    observed_at: datetime | None
    canary: HealthOut | None
    baseline: HealthOut | None
    breaches: list[BreachOut]

    @classmethod
    def of(cls, canary: ProviderSettingsCanary) -> "CanaryOut":
        return cls(
            version=canary.version,
            baseline_version=canary.baseline_version,
            percent=canary.percent,
            state=canary.state,
            limits=Limits.model_validate(canary.limits),
            started_at=canary.started_at,
            ended_at=canary.ended_at,
            observed_at=canary.observed_at,
            canary=HealthOut.of(canary.canary_health),
            baseline=HealthOut.of(canary.baseline_health),
            breaches=[BreachOut.model_validate(each) for each in canary.breaches],
        )


@router.get("")
async def show_canary(_operator: Operator, session: ReadSession) -> CanaryOut:
    """Show the canary that is running, else the last that did; 404 ``canary_not_found``.

    It is compared with the version in force once a minute.
    """
    return CanaryOut.of(await history.last_canary(session))


@router.post("/promote")
async def promote_canary(act: BodyAct, session: DbSession) -> CanaryOut:
    """Put the version that is being tried in force for everybody."""
    return CanaryOut.of(await promote(session, act=act))


@router.post("/abort")
async def abort_canary(act: BodyAct, session: DbSession) -> CanaryOut:
    """Take the version that is being tried back from everybody."""
    return CanaryOut.of(await abort(session, act=act))
