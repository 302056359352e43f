"""Files in a directory or in a bucket, both through obstore."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from medici.adapters.storage.errors import InvalidKey, ObjectNotFound, StorageUnavailable
from medici.adapters.storage.keys import check_folder, check_key, is_key
from medici.adapters.storage.store import Storage, StoredObject

if TYPE_CHECKING:  # obstore has these for type checkers only
    from obstore import ObjectMeta
    from obstore.store import S3Config

PIECE_BYTES = 256 * 1024
PAGE_OBJECTS = 1000
CHECKED_FOLDER = "readiness"  # stays empty; asking for it is enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket of S3, or of what speaks like it (MinIO, R2, Supabase's S3 endpoint).

    ``endpoint_url`` may be http where the owner of the network says so; None means Amazon itself.
    Without keys the machine's own role counts. ``virtual_hosted`` is for an ``endpoint_url`` that
    names the bucket already.
    """

    name: str
    region: str = "us-east-1"
    endpoint_url: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    virtual_hosted: bool = False


def open_storage(*, directory: Path, bucket: Bucket | None = None) -> Storage:
    """Open the bucket if one is named, else the directory, which is made if it is missing."""
    return ObstoreStorage(_s3(bucket)) if bucket else _local(directory)


class ObstoreStorage:
    """A ``Storage``. ``root`` is the real path of a directory; None for a bucket."""

    def __init__(self, store: LocalStore | S3Store, root: Path | None = None) -> None:
        self._store = store
        self._root = root

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        if content_type != self._checked(key):
            raise InvalidKey(f"the extension of {key!r} does not say {content_type}")
        # A directory keeps no attributes; there the extension alone tells the type.
        attributes = None if self._root else {"Content-Type": content_type}
        try:
            with _translated(key):
                await self._store.put_async(key, data, attributes=attributes)
        except ObjectNotFound as error:
            raise StorageUnavailable("the bucket or directory is not there") from error

    async def get(self, key: str) -> bytes:
        self._checked(key)
        with _translated(key):
            found = await self._store.get_async(key)
            return bytes(await found.bytes_async())

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        self._checked(key)
        with _translated(key):
            found = await self._store.get_async(key)
            async for piece in found.stream(min_chunk_size=PIECE_BYTES):
                yield bytes(piece)

    async def head(self, key: str) -> StoredObject | None:
        self._checked(key)
        try:
            with _translated(key):
                found = await self._store.head_async(key)
        except ObjectNotFound:
            return None
        return _described(found)

    async def exists(self, key: str) -> bool:
        return await self.head(key) is not None

    async def delete(self, key: str) -> None:
        self._checked(key)
        with suppress(ObjectNotFound), _translated(key):
            await self._store.delete_async(key)

    async def list(self, folder: str = "") -> AsyncIterator[StoredObject]:
        if folder:
            check_folder(folder)
        with _translated(folder):
            async for page in self._store.list(folder or None, chunk_size=PAGE_OBJECTS):
                for found in page:
                    if is_key(found["path"]) and not self._leads_away(found["path"]):
                        yield _described(found)

    async def check(self) -> None:
        if self._root and not os.access(self._root, os.W_OK | os.X_OK):
            raise StorageUnavailable("the storage directory is missing or cannot be written")
        async for _ in self.list(CHECKED_FOLDER):
            return

    def _checked(self, key: str) -> str:
        content_type = check_key(key)
        if self._leads_away(key):
            raise InvalidKey("a link in the storage directory leads elsewhere")
        return content_type

    def _leads_away(self, key: str) -> bool:
        if self._root is None:
            return False
        path = str(self._root / key)
        return os.path.realpath(path) != path


def _local(directory: Path) -> ObstoreStorage:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    root = directory.resolve()
    return ObstoreStorage(LocalStore(root), root)


def _s3(bucket: Bucket) -> S3Store:
    return S3Store(
        bucket.name,
        config=_config(bucket),
        client_options={
            "allow_http": (bucket.endpoint_url or "").startswith("http://"),
            "connect_timeout": timedelta(seconds=3),
            "timeout": timedelta(seconds=30),
        },
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
    )


def _config(bucket: Bucket) -> "S3Config":
    config: S3Config = {
        "region": bucket.region,
        "virtual_hosted_style_request": bucket.virtual_hosted or not bucket.endpoint_url,
    }
    if bucket.endpoint_url:
        config["endpoint"] = bucket.endpoint_url
    if bucket.access_key_id and bucket.secret_access_key:
        config["access_key_id"] = bucket.access_key_id
        config["secret_access_key"] = bucket.secret_access_key
    return config


def _described(found: "ObjectMeta") -> StoredObject:
    return StoredObject(
        key=found["path"],
        size=found["size"],
        content_type=check_key(found["path"]),
        etag=(found["e_tag"] or "").strip('"'),
        modified_at=found["last_modified"],
    )


@contextmanager
def _translated(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectNotFound(key) from error
    except (BaseError, OSError) as error:
        summary = str(error).partition("\n")[0]
        raise StorageUnavailable(f"the file store does not serve us: {summary}") from error
