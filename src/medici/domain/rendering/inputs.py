"""Fetching what the customer brought, clean and bounded, before a provider sees it."""

from dataclasses import dataclass

from medici.adapters.imaging.calls import take_in
from medici.adapters.imaging.errors import PictureRefused
from medici.adapters.imaging.host import ImageProcess
from medici.adapters.providers.request import InputImage
from medici.adapters.storage.errors import ObjectNotFound
from medici.adapters.storage.store import Storage
from medici.domain.rendering.errors import InputUnusable
from medici.domain.rendering.wanted import StoredInput
from medici.kernel.net.client import Limits, OutgoingClient
from medici.kernel.net.errors import RequestFailed, ResponseTooLarge, UnsafeUrl
from medici.kernel.net.trust import Trust

LIMITS = Limits(seconds=30.0, max_bytes=15 * 1024 * 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class InputReader:
    """Reads inputs from storage, or from outside through the address guard."""

    storage: Storage
    outgoing: OutgoingClient
    images: ImageProcess

    async def read(self, source: StoredInput) -> InputImage:
        """Return the picture's bytes, free of metadata.

        Raises:
            InputUnusable: gone, refused by the guard, too large, or no picture at all.
        """
        if source.key is not None:
            return await self._from_storage(source.key, source.content_type or "image/jpeg")
        return await self._from_outside(source.url, source.field)

    async def _from_storage(self, key: str, content_type: str) -> InputImage:
        try:
            data = await self.storage.get(key)
        except ObjectNotFound as error:
            raise InputUnusable("input_image_gone", "the uploaded picture is gone") from error
        return InputImage(data=data, content_type=content_type)

    async def _from_outside(self, url: str, field: str) -> InputImage:
        try:
            answer = await self.outgoing.request("GET", url, limits=LIMITS, trust=Trust.FOREIGN)
        except UnsafeUrl as unsafe:
            raise InputUnusable(unsafe.code_for(field), str(unsafe)) from unsafe
        except ResponseTooLarge as error:
            raise InputUnusable("input_file_too_large", str(error)) from error
        except RequestFailed as error:
            raise InputUnusable("input_image_unreachable", str(error)) from error
        if answer.status != 200:
            raise InputUnusable("input_image_unreachable", f"the address answered {answer.status}")
        try:
            picture = await take_in(self.images, answer.body, patient=True)
        except PictureRefused as error:
            raise InputUnusable(f"input_{error.code}", str(error)) from error
        return InputImage(data=picture.data, content_type=picture.content_type, url=url)
