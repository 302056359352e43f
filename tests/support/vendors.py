"""The real adapters before their stand-ins, in one deployment that the stand-ins can call."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import httpx
from aiohttp import web
from sqlalchemy import select

from medici.adapters.providers.fal.provider import FalProvider
from medici.adapters.providers.fal.wire import Bases
from medici.adapters.providers.openai.provider import OpenAIProvider
from medici.adapters.providers.provider import ProviderRegistry
from medici.adapters.providers.replicate.provider import ReplicateProvider
from medici.app import create_app
from medici.domain.prices.price_list import MediciPrices
from medici.domain.rendering.models import RenderJob
from medici.domain.routing.models import ProviderSettingsVersion
from medici.fakes.fal.app import fal_app
from medici.fakes.fal.deliveries import Courier
from medici.fakes.fal.progress import Pace
from medici.fakes.openai.app import openai_app
from medici.fakes.plane import Plane
from medici.fakes.replicate.app import COURIER, replicate_app
from medici.fakes.replicate.habits import Habits
from medici.fakes.serving import serving
from medici.kernel.db.database import Database
from medici.kernel.net.client import OutgoingClient
from medici.resources import Resources
from tests.support.painters import Painter
from tests.support.pixels import InProcess
from tests.support.studio import LONGER_THAN_ANY_WAIT, Studio, opened_studio

KEY = "a_key_of_nobody"
LONG_SECONDS = 10.0  # longer than any honest answer takes here
DELIVERY_SECONDS = 5.0
A_MOMENT = timedelta(seconds=3)


class Vendor(StrEnum):
    FAL = "fal"
    OPENAI = "openai"
    REPLICATE = "replicate"


MODELS = {
    Vendor.FAL: "fal-ai/flux/dev/image-to-image",
    Vendor.OPENAI: "gpt-image-1-mini",
    Vendor.REPLICATE: "black-forest-labs/flux-kontext-pro",
}
ORDERING = {Vendor.FAL: "submit", Vendor.OPENAI: "edit", Vendor.REPLICATE: "create"}
ASKING = {Vendor.FAL: "status", Vendor.REPLICATE: "get"}
BRINGING = {Vendor.FAL: "artifact", Vendor.REPLICATE: "artifact"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How many seconds the adapters wait: for an order's answer, for a look's, for a picture."""

    order: float = LONG_SECONDS
    look: float = LONG_SECONDS
    picture: float = LONG_SECONDS


PATIENT = Patience()


class Caller(Protocol):
    """What sends a stand-in's webhooks."""

    async def quiet(self) -> None: ...


@dataclass
class Door:
    """Where webhooks arrive: an address that hands them to the deployment's own door.

    ``answers`` are what the stand-ins were told, in order.
    """

    client: httpx.AsyncClient | None = None
    answers: list[int] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._hand_in)
        return app

    async def _hand_in(self, request: web.Request) -> web.Response:
        assert self.client is not None
        answer = await self.client.post(
            request.path, content=await request.read(), headers=dict(request.headers)
        )
        self.answers.append(answer.status_code)
        return web.Response(status=answer.status_code)


@dataclass(frozen=True, kw_only=True)
class Market:
    """A deployment with three providers; their ``planes`` can be told to lie."""

    studio: Studio
    door: Door
    planes: Mapping[Vendor, Plane]
    callers: tuple[Caller, ...]
    fal: Courier
    replicate: Habits

    async def publish(self, *vendors: Vendor) -> None:
        """Have the studio ask these, in this order, each for a model of its own."""
        await self.studio.publish(*vendors)
        async with self.studio.database.transaction() as session:
            last = (
                await session.scalars(
                    select(ProviderSettingsVersion).order_by(ProviderSettingsVersion.version.desc())
                )
            ).first()
            assert last is not None
            models = {
                vendor: {"preview_model": MODELS[vendor], "final_model": MODELS[vendor]}
                for vendor in vendors
            }
            content: dict[str, Any] = {**last.content, "provider_models": models}
            session.add(
                ProviderSettingsVersion(
                    version=last.version + 1,
                    content=content,
                    actor=last.actor,
                    reason=last.reason,
                    created_at=last.created_at,
                )
            )

    async def settled(self, job_id: UUID) -> RenderJob:
        """Work, be called and let time pass until nothing is left to do; return what came of it."""
        quiet = 0
        while quiet < 2:  # a retry may be due only after a wait in which nothing is
            worked = [*await self.studio.work(), *await self._worked_after_calls()]
            for plane in self.planes.values():
                plane.advance(A_MOMENT)
            worked += await self._worked_after_calls()
            quiet = 0 if worked else quiet + 1
            self.studio.clock.advance(LONGER_THAN_ANY_WAIT)
        return await self.studio.job(job_id)

    async def _worked_after_calls(self) -> list[object]:
        async with asyncio.timeout(DELIVERY_SECONDS):
            for caller in self.callers:
                await caller.quiet()
        return [*await self.studio.work()]

    def orders(self, vendor: Vendor) -> int:
        """Count the paid requests that reached a vendor."""
        asked = self.planes[vendor].asked
        return sum(1 for one in asked if one.operation == ORDERING[vendor])


@asynccontextmanager
async def opened_market(
    database: Database, directory: Path, *, patience: Patience = PATIENT
) -> AsyncIterator[Market]:
    """Open a deployment, and the stand-ins beside it."""
    planes = {vendor: Plane(seed=seed) for seed, vendor in enumerate(Vendor)}
    pace, habits, door = Pace(seconds=0), Habits(seconds=0), Door()
    courier = Courier(planes[Vendor.FAL], pace)
    replicate = replicate_app(planes[Vendor.REPLICATE], habits)
    async with AsyncExitStack() as stack:
        bare = await stack.enter_async_context(opened_studio(database, directory, Painter()))
        public = await stack.enter_async_context(serving(door.app()))
        bases = {
            vendor: await stack.enter_async_context(serving(app))
            for vendor, app in (
                (Vendor.FAL, fal_app(planes[Vendor.FAL], pace, courier)),
                (Vendor.OPENAI, openai_app(planes[Vendor.OPENAI])),
                (Vendor.REPLICATE, replicate),
            )
        }
        allowed = frozenset(base.removeprefix("http://") for base in bases.values())
        outgoing = await stack.enter_async_context(OutgoingClient(allow=allowed))
        settings = bare.resources.settings.model_copy(update={"medici_public_url": public})
        resources = replace(
            bare.resources, settings=settings, providers=_adapters(outgoing, bases, patience)
        )
        door.client = await stack.enter_async_context(_client(resources))
        studio = Studio(resources, bare.clock)
        await studio.customer()
        yield Market(
            studio=studio,
            door=door,
            planes=planes,
            callers=(courier, replicate[COURIER]),
            fal=courier,
            replicate=habits,
        )


def _client(resources: Resources) -> httpx.AsyncClient:
    app = create_app(resources.settings)
    app.state.resources = resources
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://medici.test", timeout=60
    )


def _adapters(
    outgoing: OutgoingClient, bases: Mapping[Vendor, str], patience: Patience
) -> ProviderRegistry:
    prices = MediciPrices()
    fal, openai, replicate = (bases[vendor] for vendor in Vendor)
    return ProviderRegistry.of(
        FalProvider(
            outgoing=outgoing,
            key=KEY,
            prices=prices,
            bases=Bases(queue=fal, rest=fal, keys=f"{fal}/.well-known/jwks.json"),
            submit_seconds=patience.order,
            read_seconds=patience.look,
            artifact_seconds=patience.picture,
        ),
        OpenAIProvider(
            outgoing=outgoing,
            key=KEY,
            prices=prices,
            pixels=InProcess(),
            base=f"{openai}/v1",
            timeout_seconds=patience.order,
        ),
        ReplicateProvider(
            outgoing=outgoing,
            key=KEY,
            prices=prices,
            base=f"{replicate}/v1",
            submit_seconds=patience.order,
            read_seconds=patience.look,
            artifact_seconds=patience.picture,
        ),
    )
