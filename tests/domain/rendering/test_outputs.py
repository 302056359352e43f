"""A picture that was paid for is not lost to a weak moment of ours."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from medici.adapters.imaging.errors import ImageProcessUnavailable, UndecodableImage
from medici.adapters.imaging.frames import JsonObject
from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.provider import Artifact
from medici.adapters.storage.obstore_storage import open_storage
from medici.adapters.storage.store import Storage
from medici.domain.identity.owner import Owner
from medici.domain.pictures.service import PictureFacts
from medici.domain.rendering.outputs import OutputKeeper
from medici.kernel.errors import MediciError
from medici.kernel.ids import new_id
from tests.support.pixels import PAINTING, InProcess

ADA = Owner.user("ada")


class Weak(InProcess):
    """Fails with each of the given errors before it does its work."""

    def __init__(self, *failures: MediciError) -> None:
        super().__init__()
        self.failures = list(failures)
        self.patience: list[bool] = []

    async def call(
        self,
        operation: str,
        payload: bytes | Sequence[bytes],
        options: JsonObject,
        *,
        timeout_seconds: float,
        patient: bool = False,
        on_progress: Callable[[float], None] | None = None,
    ) -> tuple[Sequence[bytes], JsonObject]:
        self.patience.append(patient)
        if self.failures:
            raise self.failures.pop(0)
        return await super().call(
            operation, payload, options, timeout_seconds=timeout_seconds, on_progress=on_progress
        )


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(directory=tmp_path / "files")


async def keep(storage: Storage, images: Weak, *, own_pixels: bool = False) -> PictureFacts:
    artifact = Artifact(data=PAINTING, content_type="image/png", own_pixels=own_pixels)
    keeper = OutputKeeper(storage=storage, images=images)
    return await keeper.keep(artifact, owner=ADA, picture_id=new_id())


async def kept(storage: Storage) -> list[str]:
    return [found.content_type async for found in storage.list()]


def away() -> ImageProcessUnavailable:
    return ImageProcessUnavailable("away")


class TestOutputKeeper:
    async def test_waits_its_turn_however_long_that_takes(self, storage: Storage) -> None:
        images = Weak()

        facts = await keep(storage, images)

        assert (facts.width, facts.height) == (32, 24)
        assert await kept(storage) == [facts.content_type]
        assert images.patience == [True]

    @pytest.mark.parametrize("failures", [1, 2])
    async def test_tries_again_while_it_has_the_bytes(
        self, storage: Storage, failures: int
    ) -> None:
        images = Weak(*(away() for _ in range(failures)))

        facts = await keep(storage, images)

        assert len(images.patience) == failures + 1
        assert await kept(storage) == [facts.content_type]

    async def test_gives_up_after_three_times(self, storage: Storage) -> None:
        images = Weak(*(away() for _ in range(3)))

        with pytest.raises(ProviderFailure) as failed:
            await keep(storage, images)

        assert failed.value.code is FailureCode.NO_OUTPUT
        assert images.patience == [True, True, True]
        assert await kept(storage) == []

    async def test_does_not_ask_again_about_what_is_no_picture(self, storage: Storage) -> None:
        images = Weak(UndecodableImage("no picture"))

        with pytest.raises(ProviderFailure, match="undecodable_image") as failed:
            await keep(storage, images)

        assert failed.value.code is FailureCode.NO_OUTPUT
        assert len(images.patience) == 1
        assert await kept(storage) == []

    async def test_stores_pixels_of_our_own_as_they_are(self, storage: Storage) -> None:
        images = Weak()

        await keep(storage, images, own_pixels=True)

        assert images.patience == []
        assert [found.size async for found in storage.list()] == [len(PAINTING)]
