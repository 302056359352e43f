"""Where stores tell what was bought: in their own signed form, or through a relay.

The form of a message decides which proof it needs, and neither proof stands in for the other.
"""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import SecretStr

from medici.adapters.payments.news import Source
from medici.adapters.payments.relay import RelayMessage, read_relayed
from medici.doors.http.context import AppResources, Now
from medici.doors.studio.selling.native_messages import Envelope, is_native, take_native
from medici.doors.studio.selling.secrets import RelayGate
from medici.doors.studio.selling.taking import TakenOut, take
from medici.resources import Resources

router = APIRouter(prefix="/v1/webhooks", tags=["store webhooks"])

RELAYED: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A relay's message, as below, or the store's own signed one.",
        "content": {"application/json": {"schema": RelayMessage.model_json_schema()}},
    }
}


@router.post("/storekit", openapi_extra=RELAYED)
async def storekit(request: Request, resources: AppResources, now: Now) -> TakenOut:
    """Take a message about purchases in the App Store: Apple's own, or a relay's."""
    secret = resources.settings.storekit_webhook_secret
    return await _take(request, resources, Source.IOS, secret, now)


@router.post("/google-play", openapi_extra=RELAYED)
async def google_play(request: Request, resources: AppResources, now: Now) -> TakenOut:
    """Take a message about purchases in Google Play: Pub/Sub's own, or a relay's."""
    secret = resources.settings.google_play_webhook_secret
    return await _take(request, resources, Source.ANDROID, secret, now)


@router.post("/web-billing", openapi_extra=RELAYED)
async def web_billing(request: Request, resources: AppResources, now: Now) -> TakenOut:
    """Take a message about purchases on the web: Stripe's own, or a relay's."""
    secret = resources.settings.web_billing_webhook_secret
    return await _take(request, resources, Source.WEB, secret, now)


async def _take(
    request: Request,
    resources: Resources,
    source: Source,
    secret: SecretStr | None,
    now: datetime,
) -> TakenOut:
    envelope = await envelope_of(request)
    if is_native(source, envelope):
        return TakenOut.of(await take_native(resources, source, envelope, now=now))
    settings = resources.settings
    gate = RelayGate.of(
        secret, enabled=settings.webhook_relay_enabled, production=settings.is_production
    )
    news = read_relayed(envelope.raw, source, gate.admit(envelope.headers), now=now)
    return TakenOut.of(await take(resources, news, envelope.raw, now=now))


async def envelope_of(request: Request) -> Envelope:
    return Envelope(
        raw=await request.body(),
        headers={name.lower(): value for name, value in request.headers.items()},
        token=request.query_params.get("token"),
    )
