"""Which image providers this deployment can reach, by its settings."""

from collections.abc import Iterator

from medici.adapters.imaging.host import ImageProcess
from medici.adapters.providers.fal.provider import FalProvider
from medici.adapters.providers.fal.wire import Bases
from medici.adapters.providers.local.provider import LocalProvider
from medici.adapters.providers.mock import MockProvider
from medici.adapters.providers.openai.provider import OpenAIProvider
from medici.adapters.providers.openai.stub import StubProvider
from medici.adapters.providers.pricing import PriceList
from medici.adapters.providers.provider import Provider, ProviderRegistry
from medici.adapters.providers.replicate.provider import ReplicateProvider
from medici.domain.prices.price_list import MediciPrices
from medici.kernel.clock import Clock
from medici.kernel.net.client import OutgoingClient
from medici.settings import Settings


def provider_registry(
    settings: Settings,
    *,
    outgoing: OutgoingClient,
    painters: ImageProcess,
    images: ImageProcess,
    clock: Clock,
) -> ProviderRegistry:
    """Register ``local`` always, the others by their keys, and what only pretends for development.

    ``painters`` render; ``images`` prepares what is sent elsewhere.
    """
    prices = MediciPrices()
    return ProviderRegistry.of(
        LocalProvider(painters),
        *_pretenders(settings, clock),
        *_fal(settings, outgoing, prices, clock),
        *_openai(settings, outgoing, images, prices, clock),
        *_replicate(settings, outgoing, prices, clock),
    )


def _pretenders(settings: Settings, clock: Clock) -> Iterator[Provider]:
    if settings.is_production:
        return
    yield MockProvider(clock=clock)
    if settings.openai_api_key is None and settings.openai_stub_if_missing_key:
        yield StubProvider()


def _fal(
    settings: Settings, outgoing: OutgoingClient, prices: PriceList, clock: Clock
) -> Iterator[Provider]:
    if settings.fal_api_key is not None:
        yield FalProvider(
            outgoing=outgoing,
            key=settings.fal_api_key.get_secret_value(),
            prices=prices,
            bases=Bases(
                queue=settings.fal_queue_base,
                rest=settings.fal_rest_base,
                keys=settings.fal_jwks_url,
            ),
            submit_seconds=settings.fal_timeout_seconds,
            max_in_flight=settings.fal_max_in_flight,
            clock=clock,
        )


def _openai(
    settings: Settings,
    outgoing: OutgoingClient,
    images: ImageProcess,
    prices: MediciPrices,
    clock: Clock,
) -> Iterator[Provider]:
    if settings.openai_api_key is not None:
        prices.load()  # the only one that bills by tokens
        yield OpenAIProvider(
            outgoing=outgoing,
            key=settings.openai_api_key.get_secret_value(),
            prices=prices,
            pixels=images,
            base=settings.openai_api_base,
            organization=settings.openai_organization,
            project=settings.openai_project,
            clock=clock,
        )


def _replicate(
    settings: Settings, outgoing: OutgoingClient, prices: PriceList, clock: Clock
) -> Iterator[Provider]:
    if settings.replicate_api_token is not None:
        secret = settings.replicate_webhook_secret
        yield ReplicateProvider(
            outgoing=outgoing,
            key=settings.replicate_api_token.get_secret_value(),
            prices=prices,
            base=settings.replicate_api_base,
            webhook_secret=secret.get_secret_value() if secret else None,
            clock=clock,
        )
