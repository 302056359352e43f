"""Photos on their way in: what is taken, what is refused, and what becomes of those unused."""

from datetime import timedelta
from io import BytesIO

import httpx
import pytest
from PIL import Image
from sqlalchemy import select

from medici.adapters.storage.keys import is_key
from medici.domain.pictures.models import Picture
from medici.domain.pictures.rules import UPLOAD_LIFETIME
from medici.domain.pictures.work import SWEEP
from medici.jobs.queue import enqueue
from tests.attacks.images import CANARY, encoded, picture
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.doors.support import BASE, Hands
from tests.support.pixels import PHOTO
from tests.support.studio import Studio

SOME_ID = "01a20c6d-8b4b-763c-bcd8-b3c928001944"


async def pictures(studio: Studio) -> list[Picture]:
    async with studio.database.reading() as session:
        return list(await session.scalars(select(Picture)))


async def swept(studio: Studio) -> None:
    async with studio.database.transaction() as session:
        await enqueue(session, SWEEP, now=studio.clock(), args={})
    await studio.work()


class TestUpload:
    async def test_is_stored_for_its_owner(self, ada: Visitor, studio: Studio) -> None:
        answer = await ada.upload(encoded(picture(64, 48), "PNG"))

        assert answer.status_code == 201
        (kept,) = await pictures(studio)
        told = answer.json()
        assert told.pop("image_url").startswith(f"{BASE}/files/{kept.key}?")
        assert told == {
            "upload_id": str(kept.id),
            "width": 64,
            "height": 48,
            "content_type": "image/jpeg",
            "bytes": len(await studio.resources.storage.get(kept.key)),
            "expires_at": "2026-11-25T12:00:00Z",
        }
        assert (kept.owner_id, kept.purpose) == ("ada", "upload")
        assert is_key(kept.key)
        assert "ada" not in kept.key

    async def test_is_named_by_the_public_address(self, visit: Visit) -> None:
        ada = await visit("ada", medici_public_url="https://api.example.com/")

        assert (await ada.image_url()).startswith("https://api.example.com/files/uploads/")

    async def test_loses_what_the_camera_wrote_into_it(self, ada: Visitor, studio: Studio) -> None:
        exif = Image.Exif()
        exif[0x010F] = CANARY.decode()
        photo = encoded(picture(), "JPEG", exif=exif, comment=CANARY)
        assert CANARY in photo

        url = (await ada.upload(photo)).json()["image_url"]

        served = (await ada.get(url)).content
        assert CANARY not in served
        with Image.open(BytesIO(served)) as image:
            assert (image.size, dict(image.getexif())) == ((24, 16), {})

    @pytest.mark.parametrize(
        ("data", "status", "code"),
        [
            (b"<html>", 415, "unsupported_image"),
            (encoded(picture(), "GIF"), 415, "unsupported_image"),
            (PHOTO[:-300], 422, "undecodable_image"),
            (bytes(15 * 1024 * 1024 + 1), 413, "file_too_large"),
            (bytes(16 * 1024 * 1024), 413, "body_too_large"),
        ],
    )
    async def test_that_cannot_be_taken_leaves_nothing(
        self, ada: Visitor, studio: Studio, data: bytes, status: int, code: str
    ) -> None:
        refused = await ada.upload(data)

        assert (refused.status_code, refused.json()["detail"]) == (status, code)
        assert (await pictures(studio), await studio.stored_keys()) == ([], set())

    async def test_without_a_file_is_refused(self, ada: Visitor) -> None:
        refused = await ada.post("/v1/uploads", data={"file": "words"})

        assert refused.status_code == 422

    async def test_needs_a_token(self, visit: Visit, studio: Studio) -> None:
        refused = await (await visit("")).upload()

        assert (refused.status_code, refused.json()) == (
            401,
            {"detail": "missing_or_invalid_token"},
        )
        assert await studio.stored_keys() == set()

    async def test_happens_once_for_a_key(self, ada: Visitor, studio: Studio) -> None:
        body = httpx.Request("POST", BASE, files={"file": ("room.jpg", PHOTO, "image/jpeg")})
        headers = {"Content-Type": body.headers["Content-Type"], "Idempotency-Key": "photo-1"}

        answers = [
            await ada.post("/v1/uploads", content=body.read(), headers=headers) for _ in range(2)
        ]

        assert answers[0].json() == answers[1].json()
        assert answers[1].headers["Idempotency-Replayed"] == "true"
        (kept,) = await pictures(studio)
        assert await studio.stored_keys() == {kept.key}


class TestUse:
    async def test_of_somebody_elses_upload_is_refused(
        self, ada: Visitor, bob: Visitor, studio: Studio
    ) -> None:
        url = await ada.image_url()
        unknown = url.replace(str((await pictures(studio))[0].id), SOME_ID)

        answers = [await bob.order(url), await bob.order(unknown)]

        assert {(one.status_code, one.json()["detail"]) for one in answers} == {
            (400, "image_not_found")
        }
        assert await bob.balance() == 3

    async def test_needs_no_fresh_signature(self, ada: Visitor, clock: Hands) -> None:
        url = await ada.image_url()
        clock.advance(timedelta(hours=2))

        assert (await ada.get(url)).status_code == 403
        assert (await ada.order(url)).status_code == 200

    async def test_by_a_bucket_of_ones_own_reads_storage(
        self, visit: Visit, studio: Studio
    ) -> None:
        ada = await visit("ada", storage_public_base_url="https://cdn.example.com/medici/")
        url = await ada.image_url()

        ordered = await ada.order(url)

        assert url.startswith("https://cdn.example.com/medici/uploads/")
        assert ordered.status_code == 200
        assert (await pictures(studio))[0].expires_at is None

    async def test_ends_with_the_day(self, ada: Visitor, clock: Hands) -> None:
        url = await ada.image_url()
        clock.advance(UPLOAD_LIFETIME)

        refused = await ada.order(url)

        assert (refused.status_code, refused.json()["detail"]) == (400, "image_not_found")


class TestSweep:
    async def test_takes_what_nobody_used(self, ada: Visitor, studio: Studio, clock: Hands) -> None:
        used = await ada.image_url()
        await ada.order(used)
        await ada.upload()
        clock.advance(UPLOAD_LIFETIME - timedelta(seconds=1))
        await swept(studio)
        assert len(await pictures(studio)) == 2

        clock.advance(timedelta(seconds=1))
        await swept(studio)

        (kept,) = [one for one in await pictures(studio) if one.purpose == "upload"]
        assert kept.key in used
        assert [key for key in await studio.stored_keys() if key.startswith("uploads/")] == [
            kept.key
        ]

    async def test_takes_many(self, studio: Studio, clock: Hands) -> None:
        await studio.customer("ada")
        for _ in range(3):
            await studio.upload("ada")
        clock.advance(UPLOAD_LIFETIME)

        await swept(studio)

        assert (await pictures(studio), await studio.stored_keys()) == ([], set())
