"""Absolute addresses of pictures, signed for their owner."""

from typing import Annotated

from fastapi import Depends, Request

from medici.adapters.storage.signed import Disposition, Subject, sign
from medici.domain.identity.owner import Owner
from medici.domain.pictures.models import Picture
from medici.domain.pictures.rules import FILES_PATH, LINK_LIFETIME
from medici.doors.http.context import resources_of
from medici.kernel.keyring import KeyRing

SIGNING_PURPOSE = "file-links"


def link_keys(keys: KeyRing) -> tuple[bytes, ...]:
    """Return the keys that sign links, newest first."""
    return keys.derive(SIGNING_PURPOSE)


def subject_of(picture: Picture) -> Subject:
    owner = Owner(kind=picture.owner_kind, id=picture.owner_id)
    return Subject(path=FILES_PATH + picture.key, owner=str(owner))


class Links:
    """Writes addresses for one request: by ``MEDICI_PUBLIC_URL``, else as the request came.

    ``own_prefixes`` are what every address begins with that was ever written here.
    """

    def __init__(self, request: Request) -> None:
        resources = resources_of(request)
        settings = resources.settings
        seen = str(request.base_url).rstrip("/")
        self._base = _trimmed(settings.medici_public_url) or seen
        self._bucket = _trimmed(settings.storage_public_base_url)
        buckets = (f"{self._bucket}/",) if self._bucket else ()
        self.own_prefixes = (self._base + FILES_PATH, seen + FILES_PATH, *buckets)
        self._keys = link_keys(resources.keys)
        self._now = resources.now()

    def to(self, picture: Picture) -> str:
        """Return an address under which the picture can be fetched for the next hour."""
        if self._bucket:
            return f"{self._bucket}/{picture.key}"
        query = sign(
            subject_of(picture),
            disposition=Disposition.INLINE,
            keys=self._keys,
            now=self._now,
            lifetime=LINK_LIFETIME,
        )
        return f"{self._base}{FILES_PATH}{picture.key}?{query}"


def _trimmed(base: str | None) -> str | None:
    return base.rstrip("/") if base else None


async def _links(request: Request) -> Links:
    return Links(request)


PictureLinks = Annotated[Links, Depends(_links)]
