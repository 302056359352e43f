"""Finding pictures; each look-up is bound to an owner."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.pictures.models import Picture


async def pictures_by_id(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, Picture]:
    """Return the pictures of already authorised rows, by id."""
    if not ids:
        return {}
    rows = await session.scalars(select(Picture).where(Picture.id.in_(ids)))
    return {picture.id: picture for picture in rows}


async def expired_pictures(
    session: AsyncSession, *, now: datetime, limit: int
) -> Sequence[Picture]:
    """Return pictures whose time is over, oldest first."""
    rows = await session.scalars(
        select(Picture)
        .where(Picture.expires_at.is_not(None), Picture.expires_at <= now)
        .order_by(Picture.expires_at)
        .limit(limit)
    )
    return rows.all()


async def picture_by_key(session: AsyncSession, key: str) -> Picture | None:
    """Return the picture under a storage key, whoever owns it: the caller checks a signature."""
    found: Picture | None = await session.scalar(select(Picture).where(Picture.key == key))
    return found
