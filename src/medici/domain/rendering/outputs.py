"""Bringing a finished picture into our own storage, clean of whatever its maker wrote into it."""

from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from medici.adapters.imaging.calls import take_in
from medici.adapters.imaging.errors import ImageProcessUnavailable, PictureRefused
from medici.adapters.imaging.host import ImageProcess
from medici.adapters.imaging.pictures import Picture
from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.provider import Artifact
from medici.adapters.storage.store import Storage
from medici.domain.identity.owner import Owner
from medici.domain.pictures.models import Purpose
from medici.domain.pictures.rules import picture_key
from medici.domain.pictures.service import PictureFacts

TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputKeeper:
    """Stores pictures under the id of their attempt, so that doing it twice changes nothing."""

    storage: Storage
    images: ImageProcess

    async def keep(self, artifact: Artifact, *, owner: Owner, picture_id: UUID) -> PictureFacts:
        """Store the picture and return what it is.

        Raises:
            ProviderFailure: the provider's bytes are no picture (``NO_OUTPUT``).
        """
        clean = artifact if artifact.own_pixels else await self._cleaned(artifact)
        key = picture_key(owner, Purpose.RESULT, picture_id, clean.content_type)
        await self.storage.put(key, clean.data, clean.content_type)
        return PictureFacts(
            content_type=clean.content_type,
            width=clean.width,
            height=clean.height,
            size_bytes=len(clean.data),
        )

    async def _cleaned(self, artifact: Artifact) -> Artifact:
        try:
            picture = await self._taken_in(artifact.data)
        except (PictureRefused, ImageProcessUnavailable) as error:
            raise ProviderFailure(FailureCode.NO_OUTPUT, f"no picture: {error.code}") from error
        return Artifact(
            data=picture.data,
            content_type=picture.content_type,
            width=picture.width,
            height=picture.height,
            own_pixels=True,
        )

    async def _taken_in(self, data: bytes) -> Picture:
        """Clean bytes that were paid for: while they are in hand, nothing passing loses them."""
        for _ in range(TRIES - 1):
            with suppress(ImageProcessUnavailable):
                return await take_in(self.images, data, patient=True)
        return await take_in(self.images, data, patient=True)
