"""Who is told: endpoints come, change, rest and go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.notices import queries
from medici.domain.notices.errors import EndpointDisabled, TooManyEndpoints
from medici.domain.notices.models import DisabledBecause, WebhookDelivery, WebhookEndpoint
from medici.domain.notices.notice import Notice, NoticeType
from medici.domain.notices.service.announce import announce_to
from medici.domain.notices.signing import Secret, new_secret
from medici.kernel.ids import new_id
from medici.kernel.keyring import KeyRing

MOST_ENDPOINTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an endpoint wants. ``types`` is None for whatever there is to tell.

    The URL has been judged by ``check_url``; what its name resolves to is judged at each sending.
    """

    url: str
    types: Sequence[NoticeType] | None
    description: str = ""


async def add_endpoint(
    session: AsyncSession, wish: Wish, *, keys: KeyRing, now: datetime
) -> tuple[WebhookEndpoint, Secret]:
    """Have an address told from now on; the secret can be read this once.

    Raises:
        TooManyEndpoints: there are as many as there may be.
    """
    if await queries.endpoint_count(session) >= MOST_ENDPOINTS:
        raise TooManyEndpoints(MOST_ENDPOINTS)
    endpoint_id = new_id()
    secret = new_secret(keys, endpoint_id)
    endpoint = WebhookEndpoint(
        id=endpoint_id, secret=secret.sealed, secret_last4=secret.last4, created_at=now
    )
    _fit(endpoint, wish, now=now)
    session.add(endpoint)
    await session.flush()
    return endpoint, secret


async def change_endpoint(
    session: AsyncSession, endpoint_id: UUID, wish: Wish, *, now: datetime
) -> WebhookEndpoint:
    """Have an endpoint told something else, or elsewhere; what is on its way goes there, too.

    Raises:
        EndpointNotFound: there is none of this id.
    """
    endpoint = await queries.locked_endpoint(session, endpoint_id)
    _fit(endpoint, wish, now=now)
    await session.flush()
    return endpoint


async def disable_endpoint(
    session: AsyncSession, endpoint_id: UUID, *, now: datetime
) -> WebhookEndpoint:
    """Leave an endpoint alone; what is on its way comes to nothing.

    Raises:
        EndpointNotFound: there is none of this id.
    """
    endpoint = await queries.locked_endpoint(session, endpoint_id)
    if endpoint.disabled_at is None:
        switch_off(endpoint, DisabledBecause.OPERATOR, now=now)
    await session.flush()
    return endpoint


def switch_off(endpoint: WebhookEndpoint, because: DisabledBecause, *, now: datetime) -> None:
    endpoint.disabled_at, endpoint.disabled_because = now, because
    endpoint.updated_at = now


def succeeded(endpoint: WebhookEndpoint) -> None:
    """Forget the failures of an endpoint."""
    endpoint.failures_in_a_row = 0
    endpoint.failing_since = endpoint.resting_until = None


async def enable_endpoint(
    session: AsyncSession, endpoint_id: UUID, *, now: datetime
) -> WebhookEndpoint:
    """Tell an endpoint again what happens from now on, its failures forgotten.

    Raises:
        EndpointNotFound: there is none of this id.
    """
    endpoint = await queries.locked_endpoint(session, endpoint_id)
    endpoint.disabled_at = endpoint.disabled_because = None
    endpoint.updated_at = now
    succeeded(endpoint)
    await session.flush()
    return endpoint


async def delete_endpoint(session: AsyncSession, endpoint_id: UUID) -> WebhookEndpoint:
    """Forget an endpoint and all that it was told; return it as it was.

    Raises:
        EndpointNotFound: there is none of this id.
    """
    endpoint = await queries.endpoint(session, endpoint_id)
    # By statement, so that the database takes deliveries and attempts along.
    await session.execute(delete(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id))
    return endpoint


async def rotate_secret(
    session: AsyncSession,
    endpoint_id: UUID,
    *,
    keys: KeyRing,
    overlap: timedelta,
    now: datetime,
) -> tuple[WebhookEndpoint, Secret]:
    """Give an endpoint a new secret; the old one signs along for ``overlap``.

    Raises:
        EndpointNotFound: there is none of this id.
    """
    endpoint = await queries.locked_endpoint(session, endpoint_id)
    secret = new_secret(keys, endpoint_id)
    endpoint.previous_secret = endpoint.secret if overlap else None
    endpoint.previous_secret_until = now + overlap if overlap else None
    endpoint.secret, endpoint.secret_last4 = secret.sealed, secret.last4
    endpoint.updated_at = now
    await session.flush()
    return endpoint, secret


async def waken(session: AsyncSession, endpoint_id: UUID) -> None:
    """Have an endpoint tried at once even if it is down, because somebody asks for it.

    Raises:
        EndpointNotFound: there is none of this id.
        EndpointDisabled: it is told nothing.
    """
    endpoint = await queries.locked_endpoint(session, endpoint_id)
    if endpoint.disabled_at is not None:
        raise EndpointDisabled
    endpoint.resting_until = None


async def send_test(session: AsyncSession, endpoint_id: UUID, *, now: datetime) -> WebhookDelivery:
    """Send an endpoint a notice of nothing.

    Raises:
        EndpointNotFound: there is none of this id.
        EndpointDisabled: it is told nothing.
    """
    await waken(session, endpoint_id)
    test = Notice(
        type=NoticeType.TEST,
        subject=f"webhook_endpoint:{endpoint_id}",
        data={"endpoint_id": endpoint_id, "message": "This is a test of your endpoint."},
    )
    return await announce_to(session, endpoint_id, test, now=now)


def _fit(endpoint: WebhookEndpoint, wish: Wish, *, now: datetime) -> None:
    endpoint.url, endpoint.description = wish.url, wish.description
    endpoint.types = None if wish.types is None else sorted(set(wish.types))
    endpoint.updated_at = now
