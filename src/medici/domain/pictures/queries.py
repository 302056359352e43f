"""Finding pictures; each look-up is bound to an owner."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.owner import Owner
from medici.domain.pictures.errors import PictureNotFound
from medici.domain.pictures.models import Picture


async def locked_picture(
    session: AsyncSession, picture_id: UUID, owner: Owner, *, now: datetime
) -> Picture:
    """Return the owner's picture while it lives, safe from the sweep until the transaction ends.

    Raises:
        PictureNotFound: unknown, expired, or somebody else's; nobody can tell which.
    """
    picture = await session.get(Picture, picture_id, with_for_update=True)
    if picture is None or (picture.owner_kind, picture.owner_id) != (owner.kind, owner.id):
        raise PictureNotFound
    if picture.expires_at is not None and picture.expires_at <= now:
        raise PictureNotFound
    return picture


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
