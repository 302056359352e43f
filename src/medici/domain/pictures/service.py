"""Keeping pictures, and letting go of those that nobody used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, delete
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.owner import Owner
from medici.domain.pictures.models import Picture, Purpose
from medici.domain.pictures.rules import picture_key
from medici.domain.pictures.work import DISCARD
from medici.jobs.bulk import Work, enqueue_new
from medici.jobs.queue import enqueue
from medici.kernel.db.driver.bulk import BulkInsert
from medici.kernel.db.driver.transaction import Driver

INSERT = BulkInsert(cast("Table", Picture.__table__))


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFacts:
    """What is known of an image whose bytes are in storage."""

    content_type: str
    width: int
    height: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPicture:
    """A picture whose bytes lie under its key, and which has no row yet."""

    id: UUID
    owner: Owner
    purpose: Purpose
    facts: PictureFacts
    created_at: datetime
    expires_at: datetime | None


async def keep_pictures(driver: Driver, pictures: Sequence[NewPicture]) -> None:
    """Enter many pictures."""
    await INSERT.write(driver, [_row(picture) for picture in pictures])


def _row(picture: NewPicture) -> tuple[object, ...]:
    """Return the values of a picture, in the order of the table's columns."""
    facts = picture.facts
    return (
        picture.id,
        picture.owner.kind,
        picture.owner.id,
        picture.purpose,
        picture_key(picture.owner, picture.purpose, picture.id, facts.content_type),
        facts.content_type,
        facts.width,
        facts.height,
        facts.size_bytes,
        picture.created_at,
        picture.expires_at,
    )


async def keep_picture(
    session: AsyncSession,
    *,
    picture_id: UUID,
    owner: Owner,
    purpose: Purpose,
    facts: PictureFacts,
    expires_at: datetime | None,
    now: datetime,
) -> Picture:
    """Enter a picture whose bytes already lie under its key."""
    picture = Picture(
        id=picture_id,
        owner_kind=owner.kind,
        owner_id=owner.id,
        purpose=purpose,
        key=picture_key(owner, purpose, picture_id, facts.content_type),
        content_type=facts.content_type,
        width=facts.width,
        height=facts.height,
        size_bytes=facts.size_bytes,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(picture)
    await session.flush()
    return picture


async def forget_expired(session: AsyncSession, ids: Sequence[UUID], *, now: datetime) -> None:
    """Drop those of these pictures that are still expired; one that came into use stays."""
    keys = await session.scalars(
        delete(Picture)
        .where(Picture.id.in_(ids), Picture.expires_at.is_not(None), Picture.expires_at <= now)
        .returning(Picture.key)
    )
    await discard(session, keys.all(), now=now)


async def discard(session: AsyncSession, keys: Sequence[str], *, now: datetime) -> None:
    """Have bytes deleted that no row names any more, once this transaction has committed."""
    if keys:
        await enqueue(session, DISCARD, now=now, args={"keys": list(keys)})


async def discard_all(driver: Driver, keys: Sequence[str], *, now: datetime) -> None:
    """Do the same on a driver."""
    if keys:
        await enqueue_new(driver, DISCARD, [Work(None, {"keys": list(keys)})], now=now)
