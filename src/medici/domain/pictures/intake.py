"""Getting a customer's file into storage; its row follows in a transaction."""

from dataclasses import dataclass
from uuid import UUID

from medici.adapters.imaging.calls import take_in
from medici.adapters.imaging.host import ImageProcess
from medici.adapters.storage.store import Storage
from medici.domain.identity.owner import Owner
from medici.domain.pictures.models import Purpose
from medici.domain.pictures.rules import picture_key
from medici.domain.pictures.service import PictureFacts
from medici.kernel.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredUpload:
    """A clean picture whose bytes lie under ``key``, and which no row knows yet."""

    picture_id: UUID
    key: str
    facts: PictureFacts


async def store_upload(
    data: bytes, *, owner: Owner, storage: Storage, images: ImageProcess
) -> StoredUpload:
    """Clean a stranger's file and store it.

    Raises:
        PictureRefused: it is no picture that we take; nothing was stored.
    """
    clean, picture_id = await take_in(images, data), new_id()
    key = picture_key(owner, Purpose.UPLOAD, picture_id, clean.content_type)
    await storage.put(key, clean.data, clean.content_type)
    facts = PictureFacts(
        content_type=clean.content_type,
        width=clean.width,
        height=clean.height,
        size_bytes=len(clean.data),
    )
    return StoredUpload(picture_id=picture_id, key=key, facts=facts)
