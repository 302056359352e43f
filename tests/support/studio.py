"""A deployment with fake providers and a movable clock, and a customer's errands in it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from medici.adapters.providers.provider import ProviderRegistry
from medici.adapters.providers.request import Operation, Tier
from medici.adapters.storage.obstore_storage import open_storage
from medici.bootstrap import job_registry
from medici.domain.events.models import Event
from medici.domain.identity.owner import Owner
from medici.domain.identity.service import ensure_user
from medici.domain.ledger import audit, views
from medici.domain.ledger.models import GrantSource
from medici.domain.ledger.service.grants import issue_grant
from medici.domain.ledger.service.wallets import open_wallet
from medici.domain.ledger.values import Balance, GrantTerms, Memo
from medici.domain.pictures.models import Picture, Purpose
from medici.domain.pictures.rules import UPLOAD_LIFETIME, picture_key
from medici.domain.pictures.service import PictureFacts, keep_picture
from medici.domain.plans.service import install_defaults
from medici.domain.rendering import queries
from medici.domain.rendering.models import RenderAttempt, RenderJob
from medici.domain.rendering.service.cancel import cancel
from medici.domain.rendering.service.submit import ImageSource, RenderOrder, submit
from medici.domain.routing.models import ProviderSettingsVersion
from medici.domain.routing.settings import (
    InFlightCap,
    Models,
    OnModeration,
    OnUncertain,
    ProviderSettings,
    Route,
)
from medici.jobs.inline import Ran, run_due
from medici.kernel.db.database import Database
from medici.kernel.ids import new_id
from medici.kernel.keyring import KeyRing
from medici.kernel.net.client import OutgoingClient
from medici.kernel.telemetry.metrics import Metrics
from medici.resources import Resources
from medici.settings import Settings
from tests.doors.support import FakeKeys, Hands
from tests.kernel.net.names import Names
from tests.support.painters import Painter
from tests.support.pixels import PHOTO, InProcess

SETTINGS = Settings(
    _env_file=None,
    app_env="test",
    medici_log_level="error",
    medici_log_format="json",
    medici_public_url=None,
)
LONGER_THAN_ANY_WAIT = timedelta(minutes=5)
ADA = "ada"


class Studio:
    """One deployment."""

    def __init__(self, resources: Resources, clock: Hands) -> None:
        self.resources = resources
        self.clock = clock
        self.database = resources.database
        self.registry = job_registry()

    def with_providers(self, *painters: Painter) -> "Studio":
        """Give the same deployment as it is after a restart with other providers."""
        return Studio(replace(self.resources, providers=ProviderRegistry.of(*painters)), self.clock)

    async def publish(
        self,
        *names: str,
        model: str | None = None,
        max_retries: int = 2,
        in_flight_caps: Mapping[str, InFlightCap] | None = None,
        on_moderation: OnModeration = OnModeration.STOP,
        on_uncertain: OnUncertain = OnUncertain.RECONCILE_THEN_FAIL,
        preview_first: bool = False,
    ) -> None:
        """Put new provider settings in force: these providers, in this order."""
        route = Route(
            preview_provider=names[0],
            final_provider=names[0],
            on_moderation=on_moderation,
            on_uncertain=on_uncertain,
        )
        settings = ProviderSettings.model_validate(
            {
                "default_provider": names[0],
                "enabled_providers": names,
                "fallback_chain": names,
                "operation_routes": dict.fromkeys(Operation, route),
                "part_routes": {},
                "provider_models": {
                    name: Models(
                        preview_model=model or f"{name}-small", final_model=model or f"{name}-large"
                    )
                    for name in names
                },
                "cost_controls": {
                    "preview_required_before_final": preview_first,
                    "max_retries": max_retries,
                },
                "in_flight_caps": in_flight_caps or {},
            }
        )
        async with self.database.transaction() as session:
            last = await session.scalar(
                select(ProviderSettingsVersion.version)
                .order_by(ProviderSettingsVersion.version.desc())
                .limit(1)
            )
            session.add(
                ProviderSettingsVersion(
                    version=(last or 0) + 1,
                    content=settings.model_dump(mode="json"),
                    actor="test",
                    reason="test",
                    created_at=self.clock(),
                )
            )

    async def customer(self, user_id: str = ADA, *, credits: int = 100) -> None:
        """Make a user with credits beside the day's own."""
        now = self.clock()
        async with self.database.transaction() as session:
            await ensure_user(session, user_id=user_id, now=now)
            wallet_id = await open_wallet(session, owner=Owner.user(user_id), now=now)
            if credits:
                await issue_grant(
                    session,
                    wallet_id=wallet_id,
                    terms=GrantTerms(
                        source=GrantSource.ADMIN, source_ref=f"gift:{new_id()}", amount=credits
                    ),
                    memo=Memo(actor="test", reason="test"),
                    now=now,
                )

    async def upload(self, user_id: str = ADA, *, data: bytes = PHOTO) -> Picture:
        """Store a clean photo."""
        picture_id, owner, now = new_id(), Owner.user(user_id), self.clock()
        key = picture_key(owner, Purpose.UPLOAD, picture_id, "image/jpeg")
        await self.resources.storage.put(key, data, "image/jpeg")
        facts = PictureFacts(content_type="image/jpeg", width=64, height=48, size_bytes=len(data))
        async with self.database.transaction() as session:
            return await keep_picture(
                session,
                picture_id=picture_id,
                owner=owner,
                purpose=Purpose.UPLOAD,
                facts=facts,
                expires_at=now + UPLOAD_LIFETIME,
                now=now,
            )

    async def order(
        self,
        user_id: str = ADA,
        *,
        photo: Picture | None = None,
        image_url: str | None = None,
        tier: Tier = Tier.FINAL,
    ) -> UUID:
        """Order a restyled room, of an upload unless another address is given."""
        if image_url is None:
            photo = photo or await self.upload(user_id)
            image = ImageSource(url="an upload", picture_id=photo.id)
        else:
            image = ImageSource(url=image_url)
        order = RenderOrder(
            project_id="home",
            style_id="modern",
            operation=Operation.RESTYLE,
            image=image,
            tier=tier,
        )
        async with self.database.transaction() as session:
            job = await submit(
                session,
                user_id=user_id,
                order=order,
                registered=self.resources.providers.names,
                now=self.clock(),
            )
            return job.id

    async def cancel(self, job_id: UUID, user_id: str = ADA) -> bool:
        async with self.database.transaction() as session:
            _, canceled = await cancel(session, job_id, user_id=user_id, now=self.clock())
        return canceled

    async def work(self) -> Sequence[Ran]:
        """Do all background work that is due."""
        return await run_due(self.database, self.registry, self.resources, self.clock())

    async def finish(self) -> None:
        """Work and let time pass until nothing is left to do."""
        quiet = 0
        while quiet < 2:  # a retry may be due only after a wait in which nothing is
            quiet = 0 if await self.work() else quiet + 1
            self.clock.advance(LONGER_THAN_ANY_WAIT)

    async def job(self, job_id: UUID) -> RenderJob:
        async with self.database.reading() as session:
            return await session.get_one(RenderJob, job_id)

    async def attempts(self, job_id: UUID) -> Sequence[RenderAttempt]:
        async with self.database.reading() as session:
            return await queries.attempts_of(session, job_id)

    async def balance(self, user_id: str = ADA) -> Balance:
        """Return what a user has, after a look at the books."""
        async with self.database.transaction() as session:
            assert await audit.audit(session) == []
            wallet_id = await open_wallet(session, owner=Owner.user(user_id), now=self.clock())
            return await views.balance(session, wallet_id=wallet_id, now=self.clock())

    async def purse(self, user_id: str = ADA) -> tuple[int, int]:
        """Return what is available and what is held."""
        balance = await self.balance(user_id)
        return balance.available, balance.held

    async def facts(self) -> list[tuple[str, str | None]]:
        """Return the name and status of every recorded fact, in order."""
        async with self.database.reading() as session:
            rows = await session.execute(select(Event.name, Event.status).order_by(Event.id))
            return [(row.name, row.status) for row in rows]

    async def stored_keys(self) -> set[str]:
        return {found.key async for found in self.resources.storage.list()}


@asynccontextmanager
async def opened_studio(
    database: Database,
    directory: Path,
    *painters: Painter,
    settings: Settings = SETTINGS,
    clock: Hands | None = None,
    allow: frozenset[str] = frozenset(),
    names: Names | None = None,
) -> AsyncIterator[Studio]:
    """Open a deployment whose providers are these, the first one first."""
    hands = clock or Hands()
    async with OutgoingClient(allow=allow, lookup=names or Names()) as outgoing:
        resources = Resources(
            settings=settings,
            database=database,
            storage=open_storage(directory=directory / "files"),
            images=InProcess(),
            providers=ProviderRegistry.of(*painters),
            outgoing=outgoing,
            oidc_keys=FakeKeys(),
            keys=KeyRing.parse("1:" + "A" * 43),
            metrics=Metrics(),
            clock=hands,
        )
        async with database.transaction() as session:
            await install_defaults(session, now=hands())
        studio = Studio(resources, hands)
        await studio.publish(*(painter.name for painter in painters))
        yield studio
