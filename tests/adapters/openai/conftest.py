"""The adapter, in front of the fake on loopback."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from medici.adapters.providers.failure import ProviderFailure
from medici.adapters.providers.openai.provider import OpenAIProvider
from medici.adapters.providers.request import InputImage, Operation, RenderRequest, Tier
from medici.fakes.faults import Fault, FaultKind, Rule
from medici.fakes.openai.app import OpenAIFake
from medici.fakes.plane import Asked, Plane
from medici.fakes.serving import serving
from medici.kernel.net.client import OutgoingClient
from tests.adapters.openai.prices import TokenPrices
from tests.support.pixels import PHOTO, InProcess

KEY = "sk-test-of-nobody"
REQUEST = RenderRequest(
    reference="0199",
    operation=Operation.RESTYLE,
    tier=Tier.PREVIEW,
    model="gpt-image-2.5-flare",
    image=InputImage(data=PHOTO, content_type="image/jpeg"),
    style_id="japandi",
    prompt="a japandi room",
)


class SlowClock:
    """Every look at it takes ``step``."""

    def __init__(self, step: timedelta = timedelta(milliseconds=10)) -> None:
        self.step = step
        self._now = datetime(2026, 11, 24, tzinfo=UTC)

    def __call__(self) -> datetime:
        self._now += self.step
        return self._now


@dataclass(frozen=True, kw_only=True)
class Bench:
    """The fake, and the adapter that speaks to it."""

    fake: OpenAIFake
    provider: OpenAIProvider
    clock: SlowClock

    @property
    def plane(self) -> Plane:
        return self.fake.plane

    def fail(self, kind: FaultKind, operation: str = "edit", **more: object) -> None:
        fault = Fault.model_validate({"kind": kind, **more})
        self.plane.faults.set(Rule(fault=fault, operation=operation))

    async def failure(self) -> ProviderFailure:
        with pytest.raises(ProviderFailure) as failed:
            await self.provider.submit(REQUEST)
        return failed.value

    def the_call(self) -> Asked:
        """Return the only call that came."""
        [asked] = self.plane.asked
        return asked


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    fake, clock = OpenAIFake(Plane(seed=7)), SlowClock()
    async with (
        serving(fake.app()) as base,
        OutgoingClient(allow=frozenset({urlsplit(base).netloc})) as outgoing,
        InProcess() as pixels,
    ):
        provider = OpenAIProvider(
            outgoing=outgoing,
            key=KEY,
            prices=TokenPrices(),
            pixels=pixels,
            base=f"{base}/v1",
            clock=clock,
        )
        yield Bench(fake=fake, provider=provider, clock=clock)
