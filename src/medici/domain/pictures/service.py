"""Keeping pictures, and letting go of those that nobody used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.owner import Owner
from medici.domain.pictures.models import Picture, Purpose
from medici.domain.pictures.rules import picture_key
from medici.domain.pictures.work import DISCARD
from medici.jobs.queue import enqueue


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFacts:
    """What is known of an image whose bytes are in storage."""

    content_type: str
    width: int
    height: int
    size_bytes: int


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
