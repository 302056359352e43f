"""Keeping sealed secrets under the newest key, so that older ones can leave the ring."""

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.notices import signing
from medici.domain.notices.models import WebhookEndpoint
from medici.kernel.crypto import CannotDecrypt, UnknownKey
from medici.kernel.keyring import KeyRing

log = structlog.get_logger("medici.notices")


async def reseal_secrets(session: AsyncSession, keys: KeyRing) -> None:
    """Seal under the newest key what is sealed under another."""
    # All at once: there are never more than ``MOST_ENDPOINTS``.
    endpoints = await session.scalars(
        select(WebhookEndpoint)
        .order_by(WebhookEndpoint.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    for endpoint in endpoints:
        try:
            _reseal(endpoint, keys)
        except (UnknownKey, CannotDecrypt) as error:
            log.error(
                "webhook_endpoint.secret_unreadable",
                endpoint_id=str(endpoint.id),
                error_code=error.code,
            )
    await session.flush()


def _reseal(endpoint: WebhookEndpoint, keys: KeyRing) -> None:
    endpoint.secret = signing.resealed(keys, endpoint.secret, endpoint.id)
    if endpoint.previous_secret is not None:
        endpoint.previous_secret = signing.resealed(keys, endpoint.previous_secret, endpoint.id)
