"""Renders at every point of their way, and providers in every state: drawn, then brought about."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.provider import Cost, Observation, Phase
from medici.adapters.providers.request import Operation, Tier
from medici.domain.ledger.service.holds import expire_hold
from medici.domain.pictures.service import PictureFacts
from medici.domain.rendering.orders import ImageSource, RenderOrder
from medici.domain.rendering.service.beginning import Begun, Vendors, begin
from medici.domain.rendering.service.cancel import cancel
from medici.domain.rendering.service.delivering import Delivery, deliver
from medici.domain.rendering.service.settle import fail_attempt
from medici.domain.rendering.service.submit import submit
from medici.domain.routing.models import ProviderCircuit
from tests.doors.support import NOW

CUSTOMERS, PROVIDERS = ("ada", "bob"), ("painter", "sculptor")
EARLIER = NOW - timedelta(minutes=1)
AFTER_THE_HOLD = NOW + timedelta(days=2)
FACTS = PictureFacts(content_type="image/png", width=8, height=8, size_bytes=8)
PRICE = Cost(amount_micros=20_000)


class Past(StrEnum):
    """What has become of a render so far."""

    QUEUED = "queued"
    SENDING = "sending"
    FORGOTTEN = "its hold has expired"
    UNWANTED = "canceled while it was being sent"
    CANCELED = "canceled before"
    DELIVERED = "delivered"
    REFUSED = "refused by the first provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A provider's circuit: closed, or open until so many seconds from now."""

    failures: int
    open_for: int | None
    cap: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    customer: str
    tier: Tier
    operation: Operation
    past: Past


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    renders: tuple[Render, ...]
    health: dict[str, Health]

    @property
    def vendors(self) -> Vendors:
        caps = {name: one.cap for name, one in self.health.items() if one.cap is not None}
        return Vendors(stubs=frozenset({"sculptor"}), caps=caps)


HOUSES = st.builds(
    House,
    renders=st.lists(
        st.builds(
            Render,
            customer=st.sampled_from(CUSTOMERS),
            tier=st.sampled_from(Tier),
            operation=st.sampled_from([Operation.RESTYLE, Operation.REPAINT]),
            past=st.sampled_from(Past),
        ),
        min_size=2,
        max_size=6,
    ).map(tuple),
    health=st.fixed_dictionaries(
        {
            name: st.builds(
                Health,
                failures=st.integers(0, 4),
                open_for=st.sampled_from([None, None, -1, 0, 30, 300]),
                cap=st.sampled_from([None, None, 1, 3]),
            )
            for name in PROVIDERS
        }
    ),
)


async def bring_about(session: AsyncSession, house: House) -> list[tuple[UUID, UUID | None]]:
    """Make the renders; return each with the newest attempt at it."""
    made = [await _render(session, render) for render in house.renders]
    for name, health in house.health.items():
        for operation in {render.operation for render in house.renders}:
            await session.merge(_circuit(name, operation, health))
    return made


def delivery_of(job_id: UUID, attempt_id: UUID, *, now: datetime) -> Delivery:
    return Delivery(
        job_id=job_id,
        attempt_id=attempt_id,
        facts=FACTS,
        ref={"id": "there"},
        observation=Observation(phase=Phase.SUCCEEDED),
        now=now,
    )


def _circuit(name: str, operation: Operation, health: Health) -> ProviderCircuit:
    until = None if health.open_for is None else NOW + timedelta(seconds=health.open_for)
    return ProviderCircuit(
        provider=name,
        operation=operation,
        failures=health.failures,
        openings=int(until is not None),
        reason=FailureCode.UNAVAILABLE if health.failures else None,
        retry_at=until,
        updated_at=EARLIER,
    )


async def _render(session: AsyncSession, render: Render) -> tuple[UUID, UUID | None]:
    job_id = await _ordered(session, render)
    if render.past is Past.QUEUED:
        return job_id, None
    if render.past is Past.CANCELED:
        await cancel(session, job_id, user_id=render.customer, now=EARLIER)
        return job_id, None
    begun = await begin(session, job_id, vendors=Vendors(), estimate=lambda _: PRICE, now=EARLIER)
    assert isinstance(begun, Begun)
    await _went_on(session, begun, render)
    return job_id, begun.attempt.id


async def _went_on(session: AsyncSession, begun: Begun, render: Render) -> None:
    job, attempt = begun.job, begun.attempt
    match render.past:
        case Past.FORGOTTEN if job.hold_id is not None:
            await expire_hold(session, hold_id=job.hold_id, now=AFTER_THE_HOLD)
        case Past.UNWANTED:
            await cancel(session, job.id, user_id=render.customer, now=EARLIER)
        case Past.DELIVERED:
            await deliver(session, delivery_of(job.id, attempt.id, now=EARLIER))
        case Past.REFUSED:
            refusal = ProviderFailure(FailureCode.PROVIDER_FAILED, "no")
            await fail_attempt(
                session, job.id, attempt.id, refusal, cost=None, chance=0.5, now=EARLIER
            )


async def _ordered(session: AsyncSession, render: Render) -> UUID:
    order = RenderOrder(
        project_id="home",
        style_id="modern",
        operation=render.operation,
        image=ImageSource(url="https://example.com/room.jpg"),
        tier=render.tier,
    )
    job = await submit(
        session,
        user_id=render.customer,
        order=order,
        registered=frozenset(PROVIDERS),
        now=EARLIER,
    )
    return job.id
