"""Files are stored whole, found again, and never sought outside the store."""

import asyncio
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from obstore.store import S3Store

from medici.adapters.storage.errors import InvalidKey, ObjectNotFound, StorageUnavailable
from medici.adapters.storage.obstore_storage import Bucket, open_storage
from medici.adapters.storage.store import Storage
from medici.kernel.errors import Kind
from tests.adapters.storage.test_keys import ATTEMPTS

PNG = "image/png"
SECRET = b"a secret outside the store"


async def keys(storage: Storage, folder: str = "") -> list[str]:
    return sorted([found.key async for found in storage.list(folder)])


async def read(storage: Storage, key: str) -> bytes:
    return b"".join([piece async for piece in storage.stream(key)])


def files_in(directory: Path) -> list[str]:
    return [path.name for path in directory.rglob("*") if path.is_file()]


class TestStorage:
    async def test_gives_back_what_was_put(self, storage: Storage) -> None:
        await storage.put("uploads/a.png", b"pixels", PNG)

        assert await storage.get("uploads/a.png") == b"pixels"
        assert await read(storage, "uploads/a.png") == b"pixels"
        assert await storage.exists("uploads/a.png")

    async def test_stores_a_large_file_whole(self, storage: Storage) -> None:
        large = os.urandom(12_000_000)

        await storage.put("uploads/large.png", large, PNG)

        assert await storage.get("uploads/large.png") == large
        assert await read(storage, "uploads/large.png") == large

    async def test_stores_an_empty_file(self, storage: Storage) -> None:
        await storage.put("exports/none.csv", b"", "text/csv")

        assert await storage.get("exports/none.csv") == b""
        assert await read(storage, "exports/none.csv") == b""

    async def test_describes_a_file_without_reading_it(self, storage: Storage) -> None:
        await storage.put("uploads/a.png", b"pixels", PNG)

        found = await storage.head("uploads/a.png")

        assert found
        assert (found.key, found.size, found.content_type) == ("uploads/a.png", 6, PNG)
        assert '"' not in found.etag
        assert abs(found.modified_at - datetime.now(UTC)) < timedelta(minutes=5)

    async def test_replaces_a_file(self, storage: Storage) -> None:
        await storage.put("uploads/a.png", b"first", PNG)
        before = await storage.head("uploads/a.png")

        await storage.put("uploads/a.png", b"second one", PNG)

        after = await storage.head("uploads/a.png")
        assert before
        assert after
        assert before.etag != after.etag
        assert await storage.get("uploads/a.png") == b"second one"

    async def test_deletes_a_file_and_is_content_when_there_is_none(self, storage: Storage) -> None:
        await storage.put("uploads/a.png", b"pixels", PNG)

        await storage.delete("uploads/a.png")
        await storage.delete("uploads/a.png")

        assert not await storage.exists("uploads/a.png")

    async def test_names_what_is_missing(self, storage: Storage) -> None:
        with pytest.raises(ObjectNotFound) as missing:
            await storage.get("uploads/a.png")
        with pytest.raises(ObjectNotFound):
            await read(storage, "uploads/a.png")

        assert missing.value.key == "uploads/a.png"
        assert (missing.value.code, missing.value.kind) == ("file_not_found", Kind.NOT_FOUND)
        assert await storage.head("uploads/a.png") is None

    async def test_lists_what_lies_in_a_folder(self, storage: Storage) -> None:
        for key in ("uploads/a.png", "uploads/b/c.png", "uploads-2/d.png", "e.png"):
            await storage.put(key, b"pixels", PNG)

        assert await keys(storage, "uploads") == ["uploads/a.png", "uploads/b/c.png"]
        assert await keys(storage, "nowhere") == []
        assert await keys(storage) == [
            "e.png",
            "uploads-2/d.png",
            "uploads/a.png",
            "uploads/b/c.png",
        ]

    async def test_lists_more_than_a_page(self, storage: Storage) -> None:
        names = [f"uploads/{number:04}.png" for number in range(1100)]
        for start in range(0, len(names), 100):
            await asyncio.gather(
                *(storage.put(name, b"", PNG) for name in names[start : start + 100])
            )

        assert await keys(storage, "uploads") == names

    async def test_refuses_a_content_type_that_the_key_denies(self, storage: Storage) -> None:
        with pytest.raises(InvalidKey):
            await storage.put("uploads/a.png", b"<script>", "text/html")

        assert not await storage.exists("uploads/a.png")

    async def test_can_be_checked(self, storage: Storage) -> None:
        await storage.check()

        assert await keys(storage) == []

    @pytest.mark.parametrize("key", ["../a.png", "/etc/passwd", "uploads/%2e%2e/a.png", "a"])
    async def test_refuses_a_bad_key_everywhere(self, storage: Storage, key: str) -> None:
        for attempt in (storage.get, storage.head, storage.exists, storage.delete):
            with pytest.raises(InvalidKey):
                await attempt(key)
        with pytest.raises(InvalidKey):
            await read(storage, key)
        with pytest.raises(InvalidKey):
            await storage.put(key, b"", PNG)

    @pytest.mark.parametrize("folder", ["..", "/etc", "uploads/../..", "uploads/"])
    async def test_refuses_a_bad_folder(self, storage: Storage, folder: str) -> None:
        with pytest.raises(InvalidKey):
            await keys(storage, folder)


class TestDirectory:
    def test_is_made_for_its_owner_alone(self, local: Storage, directory: Path) -> None:
        assert directory.stat().st_mode & 0o777 == 0o700

    async def test_leaves_nothing_half_written(self, local: Storage, directory: Path) -> None:
        await local.put("uploads/a.png", b"pixels", PNG)

        assert files_in(directory) == ["a.png"]

    async def test_does_not_follow_links_out(
        self, local: Storage, directory: Path, tmp_path: Path
    ) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "secret.png").write_bytes(SECRET)
        (directory / "file.png").symlink_to(outside / "secret.png")
        (directory / "folder").symlink_to(outside)

        for key in ("file.png", "folder/secret.png"):
            with pytest.raises(InvalidKey):
                await local.get(key)
            with pytest.raises(InvalidKey):
                await local.put(key, b"", PNG)
            with pytest.raises(InvalidKey):
                await local.delete(key)
        assert await keys(local) == []
        assert (outside / "secret.png").read_bytes() == SECRET

    async def test_may_itself_be_reached_by_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "disk").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "disk")
        storage = open_storage(directory=tmp_path / "link")

        await storage.put("a.png", b"pixels", PNG)

        assert (tmp_path / "disk" / "a.png").read_bytes() == b"pixels"
        assert await keys(storage) == ["a.png"]

    @settings(
        max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(attempt=ATTEMPTS)
    async def test_no_text_reads_outside(
        self, local: Storage, directory: Path, attempt: str
    ) -> None:
        (directory.parent / "a.png").write_bytes(SECRET)
        try:
            found = await local.get(attempt)
        except (InvalidKey, ObjectNotFound):
            found = b""

        assert found == b""

    async def test_that_is_gone_is_unavailable(self, local: Storage, directory: Path) -> None:
        os.rmdir(directory)

        with pytest.raises(StorageUnavailable) as unavailable:
            await local.check()

        assert (unavailable.value.code, unavailable.value.kind) == (
            "storage_unavailable",
            Kind.UNAVAILABLE,
        )


class TestBucket:
    async def test_is_told_the_content_type(self, bucket: Bucket, directory: Path) -> None:
        storage = open_storage(directory=directory, bucket=bucket)

        await storage.put("uploads/a.webp", b"pixels", "image/webp")

        client = S3Store(
            bucket.name,
            config={
                "endpoint": bucket.endpoint_url or "",
                "access_key_id": "medici",
                "secret_access_key": "a secret of the bucket",
            },
            client_options={"allow_http": True},
        )
        served = await client.get_async("uploads/a.webp")
        assert served.attributes == {"Content-Type": "image/webp"}

    def test_makes_no_directory(self, bucket: Bucket, directory: Path) -> None:
        open_storage(directory=directory, bucket=bucket)

        assert not directory.exists()

    async def test_that_does_not_exist_is_unavailable(
        self, bucket: Bucket, directory: Path
    ) -> None:
        missing = Bucket(
            name="no-such-bucket",
            endpoint_url=bucket.endpoint_url,
            access_key_id="medici",
            secret_access_key="secret",
        )
        storage = open_storage(directory=directory, bucket=missing)

        with pytest.raises(StorageUnavailable):
            await storage.check()
        with pytest.raises(StorageUnavailable):
            await storage.put("a.png", b"pixels", PNG)

    async def test_that_does_not_answer_is_unavailable(self, directory: Path) -> None:
        with socket.socket() as unheard:  # bound, and nobody listens
            unheard.bind(("127.0.0.1", 0))
            silent = Bucket(
                name="medici",
                endpoint_url=f"http://127.0.0.1:{unheard.getsockname()[1]}",
                access_key_id="medici",
                secret_access_key="a secret of the bucket",
            )
            storage = open_storage(directory=directory, bucket=silent)

            with pytest.raises(StorageUnavailable) as unavailable:
                await storage.get("a.png")
            with pytest.raises(StorageUnavailable):
                await storage.check()

        assert "secret of the bucket" not in str(unavailable.value)

    def test_does_not_show_its_secret(self, bucket: Bucket) -> None:
        assert "a secret of the bucket" not in repr(bucket)
