"""When a delivery is tried again, and when to stop trying. Pure."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from medici.domain.notices.models import DisabledBecause, WebhookEndpoint
from medici.domain.notices.notice import Notice

# After the first try that fails, after the second, and so on; after the last there is no other.
WAITS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 60, 300, 1_800, 7_200, 21_600, 43_200, 86_400, 86_400)
)
MOST_TRIES = len(WAITS) + 1
SPREAD = 0.1  # the longest delay on top of a wait, as a share of it
GONE = 410
FAILURES_ALLOWED = 10
FAILING_ALLOWED = timedelta(hours=24)
DOWN_AFTER = 3  # failures in a row
PROBE_EVERY = timedelta(minutes=1)  # shorter than any wait of a lone delivery by then
SHARE_OF_A_WORKER = 8  # an endpoint gets one of so many of its runs
LARGEST_BODY = 256 * 1024
DELIVERED_KEPT = timedelta(days=30)
FAILED_KEPT = timedelta(days=90)


def next_attempt_at(delivery_id: UUID, *, tries: int, now: datetime) -> datetime | None:
    """Return when to try again after ``tries`` that failed; None where that is for good.

    Deliveries that failed together do not come back together, and each keeps its own rhythm.
    """
    if tries >= MOST_TRIES:
        return None
    return now + WAITS[tries - 1] * (1 + SPREAD * draw(delivery_id, tries))


def is_down(endpoint: WebhookEndpoint) -> bool:
    """Tell whether to spare an endpoint, and ourselves, more than one delivery at a time."""
    return endpoint.failures_in_a_row >= DOWN_AFTER


def most_at_once(concurrency: int) -> int:
    """Return how many runs of a worker may wait for one endpoint, so that others get theirs."""
    return max(concurrency // SHARE_OF_A_WORKER, 1)


def after_rest(until: datetime, delivery_id: UUID, *, tries: int) -> datetime:
    """Return when a delivery asks again for its turn; they do not all ask at once."""
    return until + PROBE_EVERY * draw(delivery_id, tries)


def is_taken(status_code: int | None) -> bool:
    """Tell whether the receiver says that it has the notice; a redirect says no such thing."""
    return status_code is not None and 200 <= status_code < 300


def reason_to_disable(
    endpoint: WebhookEndpoint, status_code: int | None, *, now: datetime
) -> DisabledBecause | None:
    """Return why an endpoint that has just failed is to be left alone from now on."""
    if status_code == GONE:
        return DisabledBecause.GONE
    since = endpoint.failing_since or now
    if endpoint.failures_in_a_row >= FAILURES_ALLOWED and now - since >= FAILING_ALLOWED:
        return DisabledBecause.FAILING
    return None


def body_of(notice: Notice, *, now: datetime) -> str:
    """Write a notice as it is sent.

    One that is too large for a webhook names what it is about and leaves the data to be asked for:
    what happened must not fail because it is long to tell.
    """
    body = _written(notice, notice.data, now)
    if len(body) > LARGEST_BODY:
        body = _written(notice, {"subject": notice.subject, "omitted": True}, now)
    return body.decode()


def _written(notice: Notice, data: Mapping[str, object], now: datetime) -> bytes:
    told: dict[str, Any] = {"type": notice.type, "timestamp": now, "data": dict(data)}
    return orjson.dumps(told, default=_plain, option=orjson.OPT_UTC_Z)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be told as JSON")


def draw(delivery_id: UUID, tries: int) -> float:
    """Return a number in [0, 1) that is always the same for one try."""
    digest = hashlib.sha256(delivery_id.bytes + bytes([tries])).digest()
    return int.from_bytes(digest[:4]) / 2**32
