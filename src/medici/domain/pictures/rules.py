"""Where pictures lie, how long they stay, and how our own addresses are recognised."""

import hashlib
from datetime import timedelta
from urllib.parse import unquote, urlsplit
from uuid import UUID

from medici.domain.identity.owner import Owner
from medici.kernel.ids import parse_id

UPLOAD_LIFETIME = timedelta(hours=24)
LINK_LIFETIME = timedelta(hours=1)
FILES_PATH = "/files/"
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


def folder(owner: Owner) -> str:
    """Name the owner's folder without telling who it is."""
    return hashlib.sha256(str(owner).encode()).hexdigest()[:24]


def picture_key(owner: Owner, purpose: str, picture_id: UUID, content_type: str) -> str:
    """Return where in storage the picture lies; the same picture always lies there."""
    return f"{purpose}s/{folder(owner)}/{picture_id}.{EXTENSIONS[content_type]}"


def own_picture_id(url: str, own_prefixes: tuple[str, ...]) -> UUID | None:
    """Read the picture id out of one of our own file addresses, whatever its signature's age.

    ``own_prefixes`` are what the addresses of this deployment's pictures begin with.
    """
    if not url.startswith(own_prefixes):
        return None
    name = unquote(urlsplit(url).path).rpartition("/")[2]
    return parse_id(name.partition(".")[0])
