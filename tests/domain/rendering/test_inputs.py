"""Where a customer's picture comes from, and what becomes of a job that cannot have it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from medici.adapters.storage.obstore_storage import open_storage
from medici.adapters.storage.store import Storage
from medici.domain.rendering.errors import InputUnusable
from medici.domain.rendering.inputs import LIMITS, InputReader
from medici.domain.rendering.models import AttemptState, RenderState
from medici.domain.rendering.wanted import StoredInput
from medici.kernel.net.client import OutgoingClient
from tests.attacks.images import CANARY, encoded, picture
from tests.kernel.net.names import Names
from tests.kernel.net.recorder import connections
from tests.kernel.net.sites import Answer, Site, says, sends_to, site
from tests.support.painters import Painter
from tests.support.pixels import PHOTO, InProcess
from tests.support.studio import Studio

KEY = "uploads/somebody/room.jpg"


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(directory=tmp_path / "files")


@asynccontextmanager
async def reader_of(storage: Storage, *sites: Site) -> AsyncIterator[InputReader]:
    allow = frozenset(here.place for here in sites)
    async with OutgoingClient(allow_foreign=allow, lookup=Names()) as outgoing:
        yield InputReader(storage=storage, outgoing=outgoing, images=InProcess())


def outside(url: str, field: str = "image_url") -> StoredInput:
    return StoredInput(field=field, url=url, key=None, content_type=None)


def stored(key: str) -> StoredInput:
    return StoredInput(field="image_url", url="", key=key, content_type="image/jpeg")


async def refusal(storage: Storage, answer: Answer) -> str:
    """Return the code with which a picture from this site is refused."""
    async with site(answer) as here, reader_of(storage, here) as reader:
        with pytest.raises(InputUnusable) as refused:
            await reader.read(outside(f"{here.url}/room.jpg"))
    return refused.value.code


class TestOwnUpload:
    async def test_is_read_from_storage_alone(self, storage: Storage) -> None:
        await storage.put(KEY, PHOTO, "image/jpeg")

        with connections() as peers:
            async with reader_of(storage) as reader:
                image = await reader.read(stored(KEY))

        assert (image.data, image.content_type, image.url) == (PHOTO, "image/jpeg", None)
        assert peers == []

    async def test_that_is_gone_is_named(self, storage: Storage) -> None:
        async with reader_of(storage) as reader:
            with pytest.raises(InputUnusable) as refused:
                await reader.read(stored(KEY))

        assert refused.value.code == "input_image_gone"


class TestForeignPicture:
    async def test_is_fetched_and_cleaned(self, storage: Storage) -> None:
        photo = encoded(picture(), "JPEG", comment=CANARY)

        async with site(says("200 OK", photo)) as here, reader_of(storage, here) as reader:
            image = await reader.read(outside(url := f"{here.url}/room.jpg"))

        assert (image.content_type, image.url) == ("image/jpeg", url)
        assert CANARY in photo
        assert CANARY not in image.data

    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            (says("404 Not Found"), "input_image_unreachable"),
            (says("204 No Content"), "input_image_unreachable"),
            (says("200 OK", b"<html>"), "input_unsupported_image"),
            (says("200 OK", PHOTO[:-200]), "input_undecodable_image"),
            (says("200 OK", bytes(LIMITS.max_bytes + 1)), "input_file_too_large"),
            (sends_to("http://10.0.0.1/room.jpg"), "image_url_non_public_target"),
            (sends_to("file:///etc/passwd"), "image_url_invalid_scheme"),
        ],
    )
    async def test_is_refused_for_a_reason(
        self, storage: Storage, answer: Answer, code: str
    ) -> None:
        with connections() as peers:
            assert await refusal(storage, answer) == code

        assert {host for host, _ in peers} == {"127.0.0.1"}

    async def test_behind_a_dead_address_is_unreachable(self, storage: Storage) -> None:
        async with site(says("200 OK")) as here:
            pass

        async with reader_of(storage, here) as reader:
            with pytest.raises(InputUnusable) as refused:
                await reader.read(outside(here.url))

        assert refused.value.code == "input_image_unreachable"

    async def test_is_refused_under_the_name_of_its_field(self, storage: Storage) -> None:
        async with reader_of(storage) as reader:
            with pytest.raises(InputUnusable) as refused:
                await reader.read(outside("https://127.0.0.1/", field="mask_url"))

        assert refused.value.code == "mask_url_non_public_target"


class TestJob:
    async def test_fails_before_any_provider_is_asked(
        self, studio: Studio, painter: Painter
    ) -> None:
        photo = await studio.upload()
        job_id = await studio.order(photo=photo)
        await studio.resources.storage.delete(photo.key)

        await studio.finish()

        job = await studio.job(job_id)
        assert (job.state, job.error_code) == (RenderState.FAILED, "input_image_gone")
        assert job.error_message == "the uploaded picture is gone"
        assert (painter.asked, await studio.attempts(job_id)) == ([], [])
        assert await studio.purse() == (103, 0)

    async def test_closes_an_attempt_whose_answer_was_lost(
        self, studio: Studio, painter: Painter
    ) -> None:
        photo = await studio.upload()
        job_id = await studio.order(photo=photo)
        painter.script.submit.append(ZeroDivisionError("a fault of ours"))
        await studio.work()
        await studio.resources.storage.delete(photo.key)

        await studio.finish()

        (attempt,) = await studio.attempts(job_id)
        assert (await studio.job(job_id)).error_code == "input_image_gone"
        assert (attempt.state, attempt.cost_uncertain) == (AttemptState.UNCERTAIN, True)
        assert await studio.purse() == (103, 0)

    async def test_keeps_its_upload_for_good(self, studio: Studio) -> None:
        photo = await studio.upload()
        await studio.order(photo=photo)

        async with studio.database.reading() as session:
            kept = await session.get_one(type(photo), photo.id)
        assert kept.expires_at is None
