"""Signing in and out, disabling, and writing down what was done."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity import queries
from medici.domain.identity.errors import UserDisabled
from medici.domain.identity.models import AccessToken, AuditEntry, User, UserIdentity
from medici.domain.identity.oidc import Subject
from medici.domain.identity.principal import Operator, SignedIn
from medici.kernel.db.inserts import insert_into
from medici.kernel.ids import new_id
from medici.kernel.tokens import hash_token, new_token

SWEEP_BATCH = 1000
DEV_PREFIX = "dev_"  # tokens of the sign-in for development
TOKEN_PREFIX = "tok_"  # noqa: S105 - a prefix, not a secret


async def ensure_user(session: AsyncSession, *, user_id: str, now: datetime) -> User:
    """Return the user, made on first sight; two requests at once make one."""
    user = await session.get(User, user_id)
    if user is None:
        insert = insert_into(session, User).values(id=user_id, created_at=now)
        await session.execute(insert.on_conflict_do_nothing())
        user = await session.get_one(User, user_id)
    return user


async def sign_in(
    session: AsyncSession,
    *,
    user_id: str,
    platform: str | None,
    ttl: timedelta,
    now: datetime,
    prefix: str = TOKEN_PREFIX,
) -> SignedIn:
    """Give a user, made on first sight, a fresh token that lives for ``ttl``.

    Raises:
        UserDisabled: this user may not come in any more.
    """
    user = await ensure_user(session, user_id=user_id, now=now)
    if user.disabled_at is not None:
        raise UserDisabled

    signed_in = SignedIn(token=new_token(prefix), user_id=user_id, expires_at=now + ttl)
    session.add(
        AccessToken(
            token_hash=hash_token(signed_in.token),
            user_id=user_id,
            platform=platform,
            created_at=now,
            expires_at=signed_in.expires_at,
        )
    )
    await session.flush()
    return signed_in


async def sign_out(session: AsyncSession, *, token_hash: str, now: datetime) -> bool:
    """Revoke a token; False when there was nothing left to revoke."""
    revoked = await session.execute(
        update(AccessToken)
        .where(AccessToken.token_hash == token_hash, AccessToken.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(AccessToken.user_id)
    )
    return revoked.first() is not None


async def forget_tokens(
    session: AsyncSession, *, expired_before: datetime, limit: int = SWEEP_BATCH
) -> int:
    """Delete the tokens that expired before that moment; return how many that were."""
    old = select(AccessToken.token_hash).where(AccessToken.expires_at < expired_before).limit(limit)
    deleted = await session.execute(
        delete(AccessToken)
        .where(AccessToken.token_hash.in_(old.scalar_subquery()))
        .returning(AccessToken.token_hash)
    )
    return len(deleted.all())


async def user_for(session: AsyncSession, *, subject: Subject, now: datetime) -> str:
    """Return the user id behind an outside identity, made on first sight.

    The id follows from issuer and subject alone, so two first sign-ins at once make one user.
    """
    known = await queries.user_of_identity(session, subject.issuer, subject.name)
    if known is not None:
        return known
    named = hashlib.sha256(f"{subject.issuer}|{subject.name}".encode()).hexdigest()
    user = await ensure_user(session, user_id=f"oidc_{named[:40]}", now=now)
    insert = insert_into(session, UserIdentity).values(
        issuer=subject.issuer, subject=subject.name, user_id=user.id, created_at=now
    )
    await session.execute(insert.on_conflict_do_nothing())
    return user.id


async def disable_user(session: AsyncSession, *, user_id: str, now: datetime) -> None:
    """Shut a user out: every token of theirs stops working at once."""
    await session.execute(
        update(User).where(User.id == user_id, User.disabled_at.is_(None)).values(disabled_at=now)
    )


async def enable_user(session: AsyncSession, *, user_id: str) -> None:
    """Let a disabled user in again."""
    await session.execute(update(User).where(User.id == user_id).values(disabled_at=None))


async def record_audit(
    session: AsyncSession,
    *,
    action: str,
    operator: Operator,
    target: tuple[str, str],
    now: datetime,
    reason: str | None = None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    request_id: str | None = None,
) -> AuditEntry:
    """Write down a sensitive act, in the transaction that performs it.

    ``target`` is the kind and the id of what was acted on. What Medici does by itself is done by
    the operator ``SYSTEM``.
    """
    kind, target_id = target
    entry = AuditEntry(
        id=new_id(),
        at=now,
        action=action,
        proof=operator.proof,
        actor=operator.actor,
        reason=reason,
        target_kind=kind,
        target_id=target_id,
        before=None if before is None else dict(before),
        after=None if after is None else dict(after),
        request_id=request_id,
    )
    session.add(entry)
    await session.flush()
    return entry
