"""Reading who somebody is, and what was done."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.models import AccessToken, AuditEntry, User, UserIdentity
from medici.domain.identity.principal import Principal


async def authenticated(
    session: AsyncSession, token_hash: str, *, now: datetime
) -> Principal | None:
    """Return whom a token speaks for; None when it is unknown, expired, revoked or disabled."""
    found = await session.execute(
        select(AccessToken.user_id, AccessToken.platform, AccessToken.expires_at)
        .join(User, User.id == AccessToken.user_id)
        .where(
            AccessToken.token_hash == token_hash,
            AccessToken.revoked_at.is_(None),
            AccessToken.expires_at > now,
            User.disabled_at.is_(None),
        )
    )
    row = found.one_or_none()
    if row is None:
        return None
    return Principal(
        id=row.user_id, platform=row.platform, expires_at=row.expires_at, token_hash=token_hash
    )


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
