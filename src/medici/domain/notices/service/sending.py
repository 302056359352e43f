"""One try at a delivery: what is sent, and what its outcome means."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.principal import SYSTEM
from medici.domain.identity.service import record_audit
from medici.domain.notices import queries, rules, signing
from medici.domain.notices.letters import Answer, Letter
from medici.domain.notices.models import (
    DeliveryStatus,
    DisabledBecause,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from medici.domain.notices.notice import Notice, NoticeType
from medici.domain.notices.service.announce import announce
from medici.domain.notices.service.endpoints import succeeded, switch_off
from medici.kernel.crypto import Key
from medici.kernel.ids import new_id
from medici.kernel.keyring import KeyRing

DISABLED = "endpoint_disabled"
log = structlog.get_logger("medici.notices")


async def due_letter(
    session: AsyncSession, delivery_id: UUID, *, keys: KeyRing, now: datetime
) -> Letter | datetime | None:
    """Return what to send now, or when to ask again; None where there is nothing left to send."""
    delivery = await session.get(WebhookDelivery, delivery_id)
    if delivery is None or delivery.status is not DeliveryStatus.PENDING:
        return None
    if delivery.next_attempt_at is not None and now < delivery.next_attempt_at:
        return delivery.next_attempt_at
    endpoint = await queries.endpoint(session, delivery.endpoint_id)
    if endpoint.disabled_at is not None:
        give_up(delivery, error=DISABLED)
        return None
    if rules.is_down(endpoint) and (later := await _no_turn(session, delivery, now=now)):
        return later
    return await _letter(session, delivery, endpoint, keys=keys, now=now)


async def record(
    session: AsyncSession, delivery_id: UUID, answer: Answer, *, began_at: datetime, now: datetime
) -> datetime | None:
    """Write down what a try came to; return when to try again, None for never.

    An endpoint or a delivery that was deleted in the meantime is forgotten.
    """
    found = await session.get(WebhookDelivery, delivery_id)
    if found is None:
        return None
    endpoint = await queries.locked_endpoint(session, found.endpoint_id)
    delivery = await session.get_one(WebhookDelivery, delivery_id, populate_existing=True)
    _note(session, delivery, answer, began_at=began_at, now=now)
    if rules.is_taken(answer.status_code):
        _delivered(delivery, endpoint, now=now)
    else:
        await _failed(session, delivery, endpoint, answer, now=now)
    await session.flush()
    return delivery.next_attempt_at


def give_up(delivery: WebhookDelivery, *, error: str) -> None:
    """Let a delivery rest until somebody asks for it anew."""
    delivery.status, delivery.next_attempt_at = DeliveryStatus.FAILED, None
    delivery.error = error


async def _no_turn(
    session: AsyncSession, delivery: WebhookDelivery, *, now: datetime
) -> datetime | None:
    """Take the turn to try an endpoint that is down, or return when to ask for it again.

    Without turns, all that waits for a receiver that hangs would hold up all other work.
    """
    endpoint = await queries.locked_endpoint(session, delivery.endpoint_id)
    if endpoint.resting_until is not None and now < endpoint.resting_until:
        return rules.after_rest(endpoint.resting_until, delivery.id, tries=delivery.tries)
    endpoint.resting_until = now + rules.PROBE_EVERY
    return None


async def _letter(
    session: AsyncSession,
    delivery: WebhookDelivery,
    endpoint: WebhookEndpoint,
    *,
    keys: KeyRing,
    now: datetime,
) -> Letter:
    notice = await queries.notice(session, delivery.notice_id)
    body = notice.body.encode()
    headers = signing.signed_headers(
        notice_id=notice.id, body=body, secrets=_secrets(endpoint, keys, now=now), now=now
    )
    return Letter(endpoint_id=endpoint.id, url=endpoint.url, headers=headers, body=body)


def _secrets(endpoint: WebhookEndpoint, keys: KeyRing, *, now: datetime) -> Iterator[Key]:
    yield signing.opened(keys, endpoint.secret, endpoint.id)
    until = endpoint.previous_secret_until
    if endpoint.previous_secret is not None and until is not None and now < until:
        yield signing.opened(keys, endpoint.previous_secret, endpoint.id)


def _note(
    session: AsyncSession,
    delivery: WebhookDelivery,
    answer: Answer,
    *,
    began_at: datetime,
    now: datetime,
) -> None:
    delivery.tries += 1
    delivery.attempt_count += 1
    delivery.status_code, delivery.error = answer.status_code, _error(answer)
    session.add(
        WebhookAttempt(
            id=new_id(),
            delivery_id=delivery.id,
            number=delivery.attempt_count,
            at=began_at,
            latency_ms=max(round((now - began_at).total_seconds() * 1000), 0),
            status_code=answer.status_code,
            answer=answer.text,
            error=_error(answer),
        )
    )


def _error(answer: Answer) -> str | None:
    """Say in one word why the receiver did not take it."""
    if answer.status_code is None or rules.is_taken(answer.status_code):
        return answer.error
    return "redirected" if 300 <= answer.status_code < 400 else "refused"


def _delivered(delivery: WebhookDelivery, endpoint: WebhookEndpoint, *, now: datetime) -> None:
    delivery.status, delivery.next_attempt_at = DeliveryStatus.DELIVERED, None
    delivery.delivered_at = now
    succeeded(endpoint)


async def _failed(
    session: AsyncSession,
    delivery: WebhookDelivery,
    endpoint: WebhookEndpoint,
    answer: Answer,
    *,
    now: datetime,
) -> None:
    endpoint.failures_in_a_row += 1
    endpoint.failing_since = endpoint.failing_since or now
    because = rules.reason_to_disable(endpoint, answer.status_code, now=now)
    if because is not None and endpoint.disabled_at is None:
        await _switch_off(session, endpoint, because, now=now)
    following = rules.next_attempt_at(delivery.id, tries=delivery.tries, now=now)
    if because is not None or following is None:
        give_up(delivery, error=_error(answer) or DISABLED)
    else:
        delivery.next_attempt_at = following


async def _switch_off(
    session: AsyncSession, endpoint: WebhookEndpoint, because: DisabledBecause, *, now: datetime
) -> None:
    """Leave an endpoint alone, and make sure that somebody hears of it."""
    switch_off(endpoint, because, now=now)
    await session.flush()
    told = {
        "endpoint_id": str(endpoint.id),
        "url": endpoint.url,
        "disabled_because": because,
        "failures_in_a_row": endpoint.failures_in_a_row,
        "failing_since": endpoint.failing_since and endpoint.failing_since.isoformat(),
    }
    subject = f"webhook_endpoint:{endpoint.id}"
    await record_audit(
        session,
        action="webhook_endpoint_disabled",
        operator=SYSTEM,
        reason=because,
        target=("webhook_endpoint", str(endpoint.id)),
        after=told,
        now=now,
    )
    await announce(
        session,
        Notice(type=NoticeType.ENDPOINT_DISABLED, subject=subject, data=told),
        now=now,
    )
    log.warning("webhook_endpoint.disabled", endpoint_id=str(endpoint.id), because=because.value)
