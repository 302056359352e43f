"""The adapter before the fake, on loopback."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from medici.adapters.providers.pricing import Unit
from medici.adapters.providers.replicate.provider import ReplicateProvider
from medici.adapters.providers.request import InputImage, Operation, RenderRequest, Tier
from medici.fakes.faults import Fault, FaultKind, Rule
from medici.fakes.plane import Asked, Plane
from medici.fakes.replicate.app import replicate_app
from medici.fakes.replicate.habits import Habits
from medici.fakes.serving import serving
from medici.kernel.net.client import OutgoingClient
from tests.support.prices import FixedPrices, per

KEY = "r8_a_key_that_nobody_may_see"
MODEL = "black-forest-labs/flux-kontext-pro"
BY_THE_SECOND = "somebody/by-the-second"
BY_SIZE = "somebody/by-size"
PRICES = FixedPrices(
    units={
        MODEL: per(Unit.IMAGE, "0.04"),
        BY_THE_SECOND: per(Unit.SECOND, "0.000975"),
        BY_SIZE: per(Unit.MEGAPIXEL, "0.025"),
    }
)
PHOTO = InputImage(data=b"\x89PNG\r\n\x1a\n a photo", content_type="image/png")


def wish(model: str = MODEL, *, image: InputImage = PHOTO, **more: Any) -> RenderRequest:
    request = RenderRequest(
        reference="0190c4a0-0000-7000-8000-000000000001",
        operation=Operation.RESTYLE,
        tier=Tier.FINAL,
        model=model,
        image=image,
        style_id="japandi",
        prompt="a japandi room",
        seed=7,
    )
    return replace(request, **more)


@dataclass(kw_only=True)
class Time:
    """A clock that stands until it is set."""

    now: datetime = field(default_factory=lambda: datetime(2026, 11, 24, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True, kw_only=True)
class Stage:
    plane: Plane
    habits: Habits
    base: str
    clock: Time
    outgoing: OutgoingClient
    provider: ReplicateProvider

    def fail(self, kind: FaultKind, operation: str = "create", **more: object) -> None:
        fault = Fault.model_validate({"kind": kind, **more})
        self.plane.faults.set(Rule(fault=fault, operation=operation))

    def asked(self, operation: str) -> list[Asked]:
        return [asked for asked in self.plane.asked if asked.operation == operation]

    async def ref(self, model: str = MODEL) -> Mapping[str, Any]:
        """Order a picture and return where it is found."""
        return (await self.provider.submit(wish(model))).ref


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    plane, habits, clock = Plane(seed=1), Habits(seconds=0), Time()
    async with serving(replicate_app(plane, habits)) as base:
        allow = frozenset({base.removeprefix("http://")})
        async with OutgoingClient(allow=allow) as outgoing:
            provider = ReplicateProvider(
                outgoing=outgoing, key=KEY, prices=PRICES, clock=clock, base=f"{base}/v1"
            )
            yield Stage(
                plane=plane,
                habits=habits,
                base=base,
                clock=clock,
                outgoing=outgoing,
                provider=provider,
            )
