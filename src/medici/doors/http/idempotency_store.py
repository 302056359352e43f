"""Remembering answers: found again while they are young, swept when they are old."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from medici.doors.http.models import IdempotencyKey
from medici.kernel.errors import Kind, MediciError

LIFETIME = timedelta(hours=48)
SWEEP_BATCH = 1_000
KEPT_HEADERS = ("content-type", "location")


class KeyInProgress(MediciError):
    kind = Kind.CONFLICT
    code = "idempotency_key_in_progress"
    retry_after_seconds = 1.0

    def __init__(self) -> None:
        super().__init__("a request with this Idempotency-Key is still running")


class KeyReused(MediciError):
    kind = Kind.UNPROCESSABLE
    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key was sent before with another request")


@dataclass(frozen=True, slots=True)
class Claim:
    """One caller's right to perform one request once."""

    identity: str
    key: str
    fingerprint: str

    @property
    def lock(self) -> int:
        """A number of 64 bits, signed, that stands for identity and key."""
        digest = hashlib.sha256(f"idempotency {self.identity} {self.key}".encode()).digest()
        return int.from_bytes(digest[:8], signed=True)


async def lock(session: AsyncSession, claim: Claim) -> None:
    """Hold the claim until the transaction ends, against every other process.

    SQLite needs nothing: its one writer is this transaction.

    Raises:
        KeyInProgress: another process holds it.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    if not await session.scalar(select(func.pg_try_advisory_xact_lock(claim.lock))):
        raise KeyInProgress


async def stored(session: AsyncSession, claim: Claim, *, now: datetime) -> IdempotencyKey | None:
    """Return the answer given before; an expired one makes room.

    Raises:
        KeyReused: the key was used for another request.
    """
    known = await session.get(IdempotencyKey, (claim.identity, claim.key))
    if known is None:
        return None
    if known.expires_at <= now:
        await session.delete(known)
        await session.flush()
        return None
    if known.fingerprint != claim.fingerprint:
        raise KeyReused
    return known


async def remember(session: AsyncSession, claim: Claim, response: Response, now: datetime) -> None:
    """Keep an answer, in the transaction of what it answers."""
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    session.add(
        IdempotencyKey(
            identity=claim.identity,
            key=claim.key,
            fingerprint=claim.fingerprint,
            status=response.status_code,
            headers=headers,
            body=bytes(response.body),
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    await session.flush()


async def sweep(session: AsyncSession, *, now: datetime, limit: int = SWEEP_BATCH) -> int:
    """Delete up to ``limit`` expired answers; returns how many."""
    name = tuple_(IdempotencyKey.identity, IdempotencyKey.key)
    expired = (
        select(IdempotencyKey.identity, IdempotencyKey.key)
        .where(IdempotencyKey.expires_at <= now)
        .order_by(IdempotencyKey.expires_at)
        .limit(limit)
    )
    gone = await session.execute(
        delete(IdempotencyKey).where(name.in_(expired)).returning(IdempotencyKey.key)
    )
    return len(gone.all())
