"""What the rest of Medici asks of a store of files."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """What a store knows of an object without reading it."""

    key: str
    size: int  # bytes
    content_type: str
    etag: str  # changes with the content; without quotes
    modified_at: datetime


class Storage(Protocol):
    """Files by key.

    Every method raises ``InvalidKey`` for a text that is no key of ours, and ``StorageUnavailable``
    when the store does not answer.
    """

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        """Write a whole object, or replace it.

        Raises:
            InvalidKey: also where the extension of the key says another content type.
        """

    async def get(self, key: str) -> bytes:
        """Read a whole object; raises ``ObjectNotFound``."""

    def stream(self, key: str) -> AsyncIterator[bytes]:
        """Read an object piece by piece; the first step raises ``ObjectNotFound``."""

    async def head(self, key: str) -> StoredObject | None:
        """Describe an object; None if there is none."""

    async def exists(self, key: str) -> bool:
        """Tell whether there is an object under the key."""

    async def delete(self, key: str) -> None:
        """Remove an object; content with there being none."""

    def list(self, folder: str = "") -> AsyncIterator[StoredObject]:
        """Describe every object below a folder, in no particular order; all of them without one."""

    async def check(self) -> None:
        """Find out whether the store can be used now; raises ``StorageUnavailable`` if not."""
