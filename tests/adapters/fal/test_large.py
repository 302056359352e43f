"""A photo of many megabytes on its way to fal."""

from dataclasses import replace

from tests.adapters.fal.conftest import PHOTO, Stage, wish


class TestLargePhoto:
    async def test_arrives_whole(self, stage: Stage) -> None:
        photo = replace(PHOTO, data=PHOTO.data + bytes(12_000_000))

        await stage.provider.submit(wish(image=photo))

        assert stage.asked("put")[0].body == len(photo.data)
