"""Which stores this deployment hears and asks, by its settings."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from medici.adapters.oidc import KeySource
from medici.adapters.payments.google.account import AccessTokens, ServiceAccount
from medici.adapters.payments.google.api import PlayApi
from medici.adapters.payments.google.proof import PushIdentity
from medici.adapters.payments.google.push import PubSubPush
from medici.adapters.payments.google.store import GooglePlayStore
from medici.adapters.payments.news import Source
from medici.adapters.payments.receivers import Receivers, SignedWords
from medici.adapters.payments.store import Store
from medici.adapters.payments.stripe.checkout import StripeCheckout
from medici.adapters.payments.stripe.events import StripeEvents
from medici.adapters.payments.stripe.store import StripeStore
from medici.adapters.payments.stripe.wire import StripeWire
from medici.kernel.clock import Clock
from medici.kernel.environment import Environment
from medici.kernel.net.client import OutgoingClient
from medici.settings import Settings, listed_secrets

if TYPE_CHECKING:
    from medici.adapters.payments.apple.verifying import AppleApp


def receivers(settings: Settings, *, keys: KeySource, outgoing: OutgoingClient) -> Receivers:
    """Return what proves the messages of each store whose settings are there."""
    wire = _stripe_wire(settings, outgoing)
    return Receivers(
        apple=_apple(settings),
        google=_pushes(settings, keys),
        stripe=_stripe_events(settings, asks=wire.environment if wire else None),
        checkout=StripeCheckout(wire=wire) if wire else None,
    )


def stores(settings: Settings, *, outgoing: OutgoingClient, clock: Clock) -> Mapping[Source, Store]:
    """Return the stores that can be asked, because a key of theirs is set."""
    return dict(_stores(settings, outgoing, clock))


def _apple(settings: Settings) -> SignedWords | None:
    app = _apple_app(settings)
    if app is None:
        return None
    # Apple's library takes a third of a second to load, which only its users shall wait for.
    from medici.adapters.payments.apple.notifications import AppleNotifications  # noqa: PLC0415

    return AppleNotifications(app)


def _pushes(settings: Settings, keys: KeySource) -> PubSubPush | None:
    if not settings.google_play_package_names:
        return None
    return PubSubPush(
        keys=keys,
        packages=settings.google_play_package_names,
        identity=_push_identity(settings),
        secrets=listed_secrets(settings.google_play_webhook_secret),
        open=not settings.is_production,
    )


def _push_identity(settings: Settings) -> PushIdentity | None:
    account, audience = settings.google_pubsub_service_account, settings.google_pubsub_audience
    if account is None or audience is None:
        return None
    return PushIdentity(
        service_account=account, audience=audience, certs_url=settings.google_oidc_certs_url
    )


def _stripe_events(settings: Settings, *, asks: Environment | None) -> StripeEvents | None:
    """Return what reads Stripe's events; ``asks`` is the environment that our key opens."""
    secrets = listed_secrets(settings.stripe_webhook_secret)
    if not secrets:
        return None
    return StripeEvents(secrets=secrets, grace=_grace(settings), asks=asks)


def _stores(
    settings: Settings, outgoing: OutgoingClient, clock: Clock
) -> Iterator[tuple[Source, Store]]:
    if wire := _stripe_wire(settings, outgoing):
        yield Source.WEB, StripeStore(wire=wire, grace=_grace(settings))
    if google := _google(settings, outgoing, clock):
        yield Source.ANDROID, google
    if apple := _app_store(settings, outgoing, clock):
        yield Source.IOS, apple


def _stripe_wire(settings: Settings, outgoing: OutgoingClient) -> StripeWire | None:
    if settings.stripe_secret_key is None:
        return None
    return StripeWire(
        outgoing=outgoing,
        key=settings.stripe_secret_key.get_secret_value(),
        base=settings.stripe_api_base,
    )


def _google(settings: Settings, outgoing: OutgoingClient, clock: Clock) -> Store | None:
    if settings.google_play_service_account is None:
        return None
    account = ServiceAccount.of(settings.google_play_service_account.get_secret_value())
    api = PlayApi(
        outgoing=outgoing,
        tokens=AccessTokens(outgoing, account),
        base=settings.google_play_api_base,
        clock=clock,
    )
    return GooglePlayStore(api=api, packages=settings.google_play_package_names)


def _app_store(settings: Settings, outgoing: OutgoingClient, clock: Clock) -> Store | None:
    app = _apple_app(settings)
    issuer_id, key_id = settings.apple_api_issuer_id, settings.apple_api_key_id
    private_key = settings.apple_api_private_key
    if app is None or issuer_id is None or key_id is None or private_key is None:
        return None
    # As above: only those who sell in the App Store shall wait for it.
    from medici.adapters.payments.apple.api import ApiKey, AppStoreApi  # noqa: PLC0415
    from medici.adapters.payments.apple.store import AppleStore  # noqa: PLC0415

    key = ApiKey.of(issuer_id=issuer_id, key_id=key_id, pem=private_key.get_secret_value())
    api = AppStoreApi(outgoing=outgoing, key=key, base=settings.apple_api_base, clock=clock)
    return AppleStore(app, api)


def _apple_app(settings: Settings) -> "AppleApp | None":
    if not settings.apple_bundle_ids or settings.apple_root_certs_dir is None:
        return None
    from medici.adapters.payments.apple.verifying import AppleApp, roots_in  # noqa: PLC0415 - as above

    return AppleApp(
        bundle_ids=settings.apple_bundle_ids,
        roots=roots_in(settings.apple_root_certs_dir),
        environments=settings.apple_environments,
        app_id=settings.apple_app_apple_id,
        online_checks=settings.apple_online_checks,
        max_age=timedelta(days=settings.apple_notification_max_age_days),
    )


def _grace(settings: Settings) -> timedelta:
    return timedelta(days=settings.stripe_past_due_grace_days)
