"""Outgoing webhooks: which addresses are told what. For operators."""

from datetime import timedelta

from fastapi import APIRouter

from medici.domain.notices import queries
from medici.domain.notices.service import endpoints
from medici.domain.notices.service.endpoints import Wish
from medici.doors.http.auth import Operator
from medici.doors.http.context import AppResources
from medici.doors.http.paging import Cursor, Limit, encode_cursor
from medici.doors.http.sessions import ReadSession
from medici.doors.studio.notices.acts import Act, EndpointId, place_in
from medici.doors.studio.notices.schemas import (
    EndpointChangeIn,
    EndpointIn,
    EndpointOut,
    EndpointsOut,
    EndpointWithSecretOut,
    RotationIn,
    wanted,
)
from medici.kernel.net.urls import check_url
from medici.settings import Settings

# Without keys for repeated requests: what is kept for them would hold the secrets.
router = APIRouter(prefix="/v1/admin/webhook-endpoints", tags=["outgoing webhooks"])


@router.post("", status_code=201)
async def add_endpoint(
    body: EndpointIn, act: Act, resources: AppResources
) -> EndpointWithSecretOut:
    """Have an address told from now on. The answer is the only one that shows the secret.

    Refused with 400 for an address that we do not send to, 409 ``too_many_webhook_endpoints``.
    """
    wish = Wish(url=body.url, types=body.types, description=body.description)
    _judge(wish.url, resources.settings)
    endpoint, secret = await endpoints.add_endpoint(
        act.session, wish, keys=resources.keys, now=act.now
    )
    await act.record("webhook_endpoint_added", endpoint.id, after=wanted(endpoint))
    return EndpointWithSecretOut.with_secret(endpoint, secret)


@router.get("")
async def list_endpoints(
    _operator: Operator, session: ReadSession, cursor: Cursor = None, limit: Limit = 50
) -> EndpointsOut:
    """List the endpoints, oldest first."""
    found = await queries.endpoints(session, limit=limit, after=place_in(cursor))
    full = len(found) == limit
    return EndpointsOut(
        endpoints=[EndpointOut.of(one) for one in found],
        next_cursor=encode_cursor(str(found[-1].id)) if full else None,
    )


@router.get("/{endpoint_id}")
async def show_endpoint(
    _operator: Operator, endpoint_id: EndpointId, session: ReadSession
) -> EndpointOut:
    """Show one endpoint, and how it does."""
    return EndpointOut.of(await queries.endpoint(session, endpoint_id))


@router.patch("/{endpoint_id}")
async def change_endpoint(
    act: Act, endpoint_id: EndpointId, body: EndpointChangeIn, resources: AppResources
) -> EndpointOut:
    """Change where an endpoint is, what it is told, or how it is called."""
    endpoint = await queries.locked_endpoint(act.session, endpoint_id)
    before, wish = wanted(endpoint), body.applied_to(endpoint)
    _judge(wish.url, resources.settings)
    changed = await endpoints.change_endpoint(act.session, endpoint_id, wish, now=act.now)
    await act.record("webhook_endpoint_changed", endpoint_id, before=before, after=wanted(changed))
    return EndpointOut.of(changed)


@router.delete("/{endpoint_id}", status_code=204)
async def delete_endpoint(act: Act, endpoint_id: EndpointId) -> None:
    """Forget an endpoint, with the log of all that it was told."""
    deleted = await endpoints.delete_endpoint(act.session, endpoint_id)
    await act.record("webhook_endpoint_deleted", endpoint_id, before=wanted(deleted))


@router.post("/{endpoint_id}/disable")
async def disable_endpoint(act: Act, endpoint_id: EndpointId) -> EndpointOut:
    """Tell an endpoint nothing more until it is enabled; what is on its way is given up."""
    endpoint = await endpoints.disable_endpoint(act.session, endpoint_id, now=act.now)
    await act.record("webhook_endpoint_disabled", endpoint_id)
    return EndpointOut.of(endpoint)


@router.post("/{endpoint_id}/enable")
async def enable_endpoint(act: Act, endpoint_id: EndpointId) -> EndpointOut:
    """Tell an endpoint again what happens from now on, its failures forgotten."""
    endpoint = await endpoints.enable_endpoint(act.session, endpoint_id, now=act.now)
    await act.record("webhook_endpoint_enabled", endpoint_id)
    return EndpointOut.of(endpoint)


@router.post("/{endpoint_id}/rotate-secret")
async def rotate_secret(
    act: Act, endpoint_id: EndpointId, resources: AppResources, body: RotationIn | None = None
) -> EndpointWithSecretOut:
    """Make a new secret, shown in this answer alone; the old one signs along for a while."""
    overlap = timedelta(seconds=(body or RotationIn()).overlap_seconds)
    endpoint, secret = await endpoints.rotate_secret(
        act.session, endpoint_id, keys=resources.keys, overlap=overlap, now=act.now
    )
    await act.record(
        "webhook_secret_rotated",
        endpoint_id,
        after={"secret_last4": secret.last4, "overlap_seconds": int(overlap.total_seconds())},
    )
    return EndpointWithSecretOut.with_secret(endpoint, secret)


def _judge(url: str, settings: Settings) -> None:
    """Refuse what we would never send to; names are judged when something is sent."""
    check_url(url, frozenset(settings.medici_outbound_allow_users))
