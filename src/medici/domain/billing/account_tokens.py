"""The random id by which the stores' messages name a user of ours."""

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.models import User
from medici.kernel.tokens import hash_token, new_token


async def account_token(session: AsyncSession, *, user_id: str) -> UUID:
    """Return the user's token, made at its first use; the user is there already.

    It is not one of our rising ids, because the store must not learn from it when a user came.
    """
    known = await session.scalar(select(User.app_account_token).where(User.id == user_id))
    if known is not None:
        return known
    # Of two first uses at once, one writes; both read what was written.
    await session.execute(
        update(User)
        .where(User.id == user_id, User.app_account_token.is_(None))
        .values(app_account_token=_random())
    )
    written = await session.scalars(select(User.app_account_token).where(User.id == user_id))
    token = written.one()
    if token is None:
        raise LookupError(f"no user {user_id}")
    return token


def _random() -> UUID:
    return UUID(bytes=bytes.fromhex(hash_token(new_token()))[:16], version=4)
