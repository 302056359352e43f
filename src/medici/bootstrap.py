"""Opening what a process needs, from its settings, and closing it again."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from pydantic import SecretStr

from medici.adapters.imaging.host import ImageProcess
from medici.adapters.oidc import PublishedKeys
from medici.adapters.storage.obstore_storage import Bucket, open_storage
from medici.adapters.storage.store import Storage
from medici.domain.analytics import tasks as analytics_tasks
from medici.domain.billing import tasks as billing_tasks
from medici.domain.billing.credit_news import tasks as credit_news_tasks
from medici.domain.billing.resets import tasks as reset_tasks
from medici.domain.experiments import tasks as experiment_tasks
from medici.domain.identity import tasks as identity_tasks
from medici.domain.inbox import tasks as inbox_tasks
from medici.domain.ledger import tasks as ledger_tasks
from medici.domain.notices import tasks as notice_tasks
from medici.domain.pictures import tasks as picture_tasks
from medici.domain.plans import service as plans
from medici.domain.rendering import routing_tasks
from medici.domain.rendering import tasks as rendering_tasks
from medici.domain.routing import service as routing
from medici.domain.routing.settings import FAL, OPENAI, initial_settings
from medici.doors.http import tasks as http_tasks
from medici.doors.studio.selling import work as store_work
from medici.jobs import tasks as job_tasks
from medici.jobs.handlers import Registry
from medici.kernel.clock import Clock, system_clock
from medici.kernel.db.database import Database
from medici.kernel.keyring import KeyRing
from medici.kernel.net.client import OutgoingClient
from medici.kernel.telemetry.metrics import Metrics
from medici.migrations.upgrade import upgrade
from medici.providers import provider_registry
from medici.resources import Resources
from medici.settings import Settings
from medici.stores import receivers, stores

KEY_FILE = "encryption.key"


@asynccontextmanager
async def opened(settings: Settings, *, clock: Clock = system_clock) -> AsyncIterator[Resources]:
    """Open everything that the settings name; nothing is written anywhere yet."""
    async with AsyncExitStack() as stack:
        database = Database.open(
            settings.database_url, pool_size=settings.medici_database_pool_size
        )
        stack.push_async_callback(database.close)
        outgoing = OutgoingClient(
            allow=frozenset(settings.medici_outbound_allow),
            allow_foreign=frozenset(settings.medici_outbound_allow_users),
        )
        stack.push_async_callback(outgoing.close)
        # Two, so that an upload never waits behind a render.
        images = await stack.enter_async_context(ImageProcess())
        painters = await stack.enter_async_context(
            ImageProcess(max_processes=settings.medici_image_processes)
        )
        oidc_keys = PublishedKeys(outgoing, clock)
        yield Resources(
            settings=settings,
            database=database,
            storage=_storage(settings),
            images=images,
            providers=provider_registry(
                settings, outgoing=outgoing, painters=painters, images=images, clock=clock
            ),
            outgoing=outgoing,
            oidc_keys=oidc_keys,
            keys=_keys(settings),
            metrics=Metrics(),
            clock=clock,
            stores=stores(settings, outgoing=outgoing, clock=clock),
            receivers=receivers(settings, keys=oidc_keys, outgoing=outgoing),
        )


async def prepare(resources: Resources) -> None:
    """Bring the database up to date, as far as the settings allow, and fill in what is missing."""
    if resources.settings.medici_auto_migrate:
        await upgrade(resources.database)
    await install_defaults(resources)


async def install_defaults(resources: Resources) -> None:
    """Give an empty database its plans, styles, variables and first provider settings."""
    settings, reachable = resources.settings, resources.providers.names
    first = initial_settings(
        fal=settings.fal_api_key is not None and FAL in reachable,
        openai=settings.openai_api_key is not None and OPENAI in reachable,
    )
    async with resources.database.transaction() as session:
        await plans.install_defaults(session, now=resources.now())
        await routing.install_first_version(session, first, now=resources.now())


def job_registry() -> Registry:
    """Return every background job and schedule that this deployment knows."""
    return Registry.of(
        credit_news_tasks,
        analytics_tasks,
        job_tasks,
        billing_tasks,
        experiment_tasks,
        http_tasks,
        identity_tasks,
        inbox_tasks,
        ledger_tasks,
        notice_tasks,
        picture_tasks,
        rendering_tasks,
        routing_tasks,
        reset_tasks,
        store_work,
    )


def _storage(settings: Settings) -> Storage:
    return open_storage(directory=settings.medici_data_dir / "files", bucket=_bucket(settings))


def _bucket(settings: Settings) -> Bucket | None:
    if settings.storage_bucket is None:
        return None
    return Bucket(
        name=settings.storage_bucket,
        region=settings.storage_region,
        endpoint_url=settings.storage_endpoint_url,
        access_key_id=_revealed(settings.storage_access_key_id),
        secret_access_key=_revealed(settings.storage_secret_access_key),
    )


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None


def _keys(settings: Settings) -> KeyRing:
    if settings.encryption_keys is not None:
        return KeyRing.parse(settings.encryption_keys.get_secret_value())
    return KeyRing.load_or_create(settings.medici_data_dir / KEY_FILE)
