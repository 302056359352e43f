"""Bringing a picture in: counted while it is read, decoded in a child process, stored clean."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, File, UploadFile
from pydantic import BaseModel

from medici.domain.identity.owner import Owner
from medici.domain.pictures.intake import StoredUpload, store_upload
from medici.domain.pictures.models import Picture, Purpose
from medici.domain.pictures.rules import UPLOAD_LIFETIME
from medici.domain.pictures.service import keep_picture
from medici.doors.http.auth import CurrentUser
from medici.doors.http.context import AppResources, Now
from medici.doors.http.idempotency import IdempotentRoute
from medici.doors.http.sessions import DbSession
from medici.doors.studio.links import Links, PictureLinks
from medici.kernel.db.following import after_commit

router = APIRouter(prefix="/v1/uploads", tags=["uploads"], route_class=IdempotentRoute)


class UploadOut(BaseModel):
    """A stored upload. ``image_url`` is good for an hour, the upload itself for a day."""

    upload_id: UUID
    image_url: str
    width: int
    height: int
    content_type: str
    bytes: int
    expires_at: datetime

    @classmethod
    def of(cls, picture: Picture, links: Links, expires_at: datetime) -> "UploadOut":
        return cls(
            upload_id=picture.id,
            image_url=links.to(picture),
            width=picture.width,
            height=picture.height,
            content_type=picture.content_type,
            bytes=picture.size_bytes,
            expires_at=expires_at,
        )


@dataclass(slots=True)
class Pending:
    """An upload on its way; ``kept`` once a row knows it."""

    stored: StoredUpload
    kept: bool = False

    def keep(self) -> None:
        self.kept = True


async def pending_upload(
    user: CurrentUser,
    resources: AppResources,
    file: Annotated[UploadFile, File(description="JPEG, PNG or WEBP, at most 15 MiB and 50 MP")],
) -> AsyncIterator[Pending]:
    """Clean and store the file before the database is asked for anything.

    Bytes that came to nothing, since the request was a repetition, are taken away again. After an
    error they stay: nobody knows whether the commit went through.
    """
    stored = await store_upload(
        await file.read(),
        owner=Owner.user(user.id),
        storage=resources.storage,
        images=resources.images,
    )
    pending = Pending(stored)
    yield pending
    if not pending.kept:
        await resources.storage.delete(stored.key)


@router.post("", status_code=201)
async def upload_picture(
    user: CurrentUser,
    pending: Annotated[Pending, Depends(pending_upload, scope="function")],
    session: DbSession,
    links: PictureLinks,
    now: Now,
) -> UploadOut:
    """Store a photo for later renders. Metadata is removed; an unused upload goes after a day.

    Refused with 413 ``file_too_large`` or ``image_too_large``, 415 ``unsupported_image``,
    422 ``undecodable_image`` or ``too_many_frames``.
    """
    expires_at = now + UPLOAD_LIFETIME
    picture = await keep_picture(
        session,
        picture_id=pending.stored.picture_id,
        owner=Owner.user(user.id),
        purpose=Purpose.UPLOAD,
        facts=pending.stored.facts,
        expires_at=expires_at,
        now=now,
    )
    after_commit(session, pending.keep)
    return UploadOut.of(picture, links, expires_at)
