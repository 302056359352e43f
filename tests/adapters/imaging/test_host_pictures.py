"""The real child: what it makes of pictures."""

import pytest

from medici.adapters.imaging.calls import take_in
from medici.adapters.imaging.errors import (
    ImageTooHeavy,
    UndecodableImage,
)
from medici.adapters.imaging.host import ImageProcess
from medici.adapters.imaging.pictures import PictureLimits
from tests.adapters.imaging.children import PATIENCE_SECONDS
from tests.attacks import images


class TestRestyle:
    async def test_is_done_in_the_child(self) -> None:
        reports: list[float] = []
        async with ImageProcess() as process:
            blobs, info = await process.call(
                "restyle",
                images.jpeg(quality=90),
                {"style": "modern", "seed": 7, "target_parts": ["walls"], "max_pixels": 100_000},
                timeout_seconds=PATIENCE_SECONDS,
                on_progress=reports.append,
            )

        assert blobs[0].startswith(b"\xff\xd8\xff")
        assert (info["content_type"], info["engine"]) == ("image/jpeg", "local/restyle")
        assert reports == sorted(reports)


class TestTakeIn:
    async def test_gives_a_clean_picture(self) -> None:
        async with ImageProcess() as process:
            picture = await take_in(process, images.jpeg(exif=images.exif(images.MAKERS[0])))

        assert (picture.content_type, picture.width, picture.height) == ("image/jpeg", 24, 16)
        assert images.CANARY not in picture.data

    async def test_passes_the_limits_on(self, process: ImageProcess) -> None:
        with pytest.raises(UndecodableImage):
            await take_in(process, images.wrong_checksum(images.png()))
        picture = await take_in(process, images.png(), PictureLimits(max_frames=1))

        assert picture.width == 24

    async def test_a_picture_beyond_the_child_s_memory_is_refused(
        self, process: ImageProcess
    ) -> None:
        large = images.encoded(images.picture(7000, 6000), "JPEG", quality=10)

        with pytest.raises(ImageTooHeavy):
            await take_in(process, large)

    async def test_probe_tells_the_versions(self) -> None:
        async with ImageProcess() as process:
            _, info = await process.call("probe", b"", {}, timeout_seconds=PATIENCE_SECONDS)

        assert info["ok"] is True
        assert isinstance(info["versions"], dict)
        assert info["versions"].keys() == {"pillow", "numpy", "opencv-python-headless"}
