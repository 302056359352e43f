"""Reading who somebody is, and what was done."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.models import AccessToken, AuditEntry, User, UserIdentity
from medici.domain.identity.principal import Principal
from medici.kernel.db.base import Instant
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.driver.query import Query, any_of
from medici.kernel.db.driver.transaction import Driver

AUTHENTICATED = Query(
    select(
        AccessToken.token_hash, AccessToken.user_id, AccessToken.platform, AccessToken.expires_at
    )
    .join(User, User.id == AccessToken.user_id)
    .where(
        any_of(AccessToken.token_hash, "hashes"),
        AccessToken.revoked_at.is_(None),
        AccessToken.expires_at > bindparam("now", type_=Instant()),
        User.disabled_at.is_(None),
    )
)


async def authenticated(
    session: AsyncSession, token_hash: str, *, now: datetime
) -> Principal | None:
    """Return whom a token speaks for; None when it is unknown, expired, revoked or disabled."""
    known = await authenticated_many(await driver_of(session), [token_hash], now=now)
    return known.get(token_hash)


async def authenticated_many(
    driver: Driver, token_hashes: Collection[str], *, now: datetime
) -> dict[str, Principal]:
    """Return whom each token speaks for; those that speak for nobody are left out."""
    rows = await AUTHENTICATED.rows(driver, hashes=set(token_hashes), now=now)
    return {
        row.token_hash: Principal(
            id=row.user_id,
            platform=row.platform,
            expires_at=row.expires_at,
            token_hash=row.token_hash,
        )
        for row in rows
    }


async def user_of_identity(session: AsyncSession, issuer: str, subject: str) -> str | None:
    """Return the id of the user whom an outside issuer calls ``subject``."""
    identity = await session.get(UserIdentity, (issuer, subject))
    return identity.user_id if identity else None


async def audit_trail(
    session: AsyncSession,
    *,
    target_kinds: Sequence[str],
    limit: int,
    before: UUID | None = None,
) -> Sequence[AuditEntry]:
    """Return what was done to things of some kinds, newest first, older than entry ``before``."""
    query = select(AuditEntry).where(AuditEntry.target_kind.in_(target_kinds))
    if before is not None:
        query = query.where(AuditEntry.id < before)
    found = await session.scalars(query.order_by(AuditEntry.id.desc()).limit(limit))
    return found.all()


async def users_signed_in(session: AsyncSession, *, since: datetime, until: datetime) -> int:
    """Count who signed in within ``[since, until)``, as far back as tokens are kept."""
    count = await session.scalar(
        select(func.count(AccessToken.user_id.distinct())).where(
            AccessToken.created_at >= since, AccessToken.created_at < until
        )
    )
    return count or 0
