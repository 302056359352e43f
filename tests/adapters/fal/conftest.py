"""The adapter before the fake, on loopback."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from medici.adapters.providers.fal.provider import FalProvider
from medici.adapters.providers.fal.wire import Bases
from medici.adapters.providers.pricing import Unit
from medici.adapters.providers.request import InputImage, Operation, RenderRequest, Tier
from medici.fakes.fal.app import fal_app
from medici.fakes.fal.deliveries import Courier
from medici.fakes.fal.progress import Pace
from medici.fakes.faults import Fault, FaultKind, Rule
from medici.fakes.plane import Asked, Plane
from medici.fakes.serving import serving
from medici.kernel.net.client import OutgoingClient
from tests.support.prices import FixedPrices, per

KEY = "id:a_key_that_nobody_may_see"
MODEL = "fal-ai/flux/dev/image-to-image"
BY_IMAGE = "fal-ai/nano-banana/edit"
PRICES = FixedPrices(
    units={MODEL: per(Unit.MEGAPIXEL, "0.025"), BY_IMAGE: per(Unit.IMAGE, "0.039")}
)
PHOTO = InputImage(data=b"\x89PNG\r\n\x1a\n a photo", content_type="image/png")


def wish(model: str = MODEL, **more: Any) -> RenderRequest:
    request = RenderRequest(
        reference="0190c4a0-0000-7000-8000-000000000001",
        operation=Operation.RESTYLE,
        tier=Tier.FINAL,
        model=model,
        image=PHOTO,
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
    pace: Pace
    courier: Courier
    base: str
    clock: Time
    outgoing: OutgoingClient
    provider: FalProvider

    def fail(self, kind: FaultKind, operation: str = "submit", **more: Any) -> None:
        fault = Fault.model_validate({"kind": kind, **more})
        self.plane.faults.set(Rule(fault=fault, operation=operation))

    def asked(self, operation: str) -> list[Asked]:
        return [asked for asked in self.plane.asked if asked.operation == operation]

    async def ref(self, model: str = MODEL) -> Mapping[str, Any]:
        """Order a picture and return where it is found; it is done by the next look."""
        self.pace.seconds = 0
        return (await self.provider.submit(wish(model))).ref


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    plane, pace, clock = Plane(seed=1), Pace(), Time()
    courier = Courier(plane, pace)
    async with serving(fal_app(plane, pace, courier)) as base:
        origin = base.removeprefix("http://")
        async with OutgoingClient(allow=frozenset({origin})) as outgoing:
            provider = FalProvider(
                outgoing=outgoing,
                key=KEY,
                prices=PRICES,
                bases=Bases(queue=base, rest=base, keys=f"{base}/.well-known/jwks.json"),
                submit_seconds=5,
                clock=clock,
            )
            yield Stage(
                plane=plane,
                pace=pace,
                courier=courier,
                base=base,
                clock=clock,
                outgoing=outgoing,
                provider=provider,
            )
