"""What the engine promises about any picture, on pictures drawn by the tests."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, UnidentifiedImageError

from medici.adapters.providers.local.restyle.engine import RestyleOrder, restyle

Flags = NDArray[np.bool_]


def encoded(picture: Image.Image, kind: str = "PNG") -> bytes:
    target = io.BytesIO()
    picture.save(target, kind)
    return target.getvalue()


def drawn_room(width: int = 400, height: int = 300) -> Image.Image:
    """Return a plain room: white ceiling, grey wall, brown floor."""
    room = Image.new("RGB", (width, height), "#b4b2ae")
    brush = ImageDraw.Draw(room)
    brush.rectangle((0, 0, width, height * 0.15), fill="#e9e8e6")
    brush.rectangle((0, height * 0.8, width, height), fill="#8a6a4c")
    return room


def mask(left: int, top: int, right: int, bottom: int) -> bytes:
    canvas = Image.new("L", (400, 300), 0)
    ImageDraw.Draw(canvas).rectangle((left, top, right, bottom), fill=255)
    return encoded(canvas)


def colours(data: bytes) -> NDArray[np.int_]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=np.int_)


class TestOrder:
    async def test_gives_the_same_bytes_each_time(self) -> None:
        order = RestyleOrder(style="bohemian", prompt="sage green walls", seed=3)
        room = encoded(drawn_room())

        assert restyle(room, order) == restyle(room, order)

    async def test_seeds_choose_another_paint(self) -> None:
        room = encoded(drawn_room())

        first = restyle(room, RestyleOrder(style="bohemian", seed=0))
        second = restyle(room, RestyleOrder(style="bohemian", seed=1))

        assert first.data != second.data

    async def test_words_win_over_the_style(self) -> None:
        room = encoded(drawn_room())

        painted = restyle(room, RestyleOrder(style="minimalistic", prompt="navy blue walls"))

        red, _, blue = colours(painted.data)[150, 200]
        assert blue > red + 15

    async def test_names_what_it_did_not_understand(self) -> None:
        order = RestyleOrder(style="modern", prompt="a chandelier and a sage wall")

        notes = restyle(encoded(drawn_room()), order).notes

        assert "Not understood, and left out: chandelier." in notes

    async def test_goes_to_the_floor_alone_when_asked(self) -> None:
        order = RestyleOrder(style="industrial", target_parts=("floor",))

        assert restyle(encoded(drawn_room()), order).painted == ("floor",)


class TestSurfaces:
    async def test_are_painted_apart(self) -> None:
        room = restyle(encoded(drawn_room()), RestyleOrder(style="bohemian"))

        ceiling, wall = colours(room.data)[10, 200], colours(room.data)[150, 200]

        assert room.painted == ("wall", "floor")
        assert wall[0] - wall[2] > 40  # terracotta
        assert ceiling[0] - ceiling[2] < 25

    async def test_keep_the_grain_of_the_floor(self) -> None:
        picture = drawn_room()
        brush = ImageDraw.Draw(picture)
        for across in range(0, 400, 20):
            brush.line((across, 245, across, 300), fill="#806145", width=2)

        floor = colours(restyle(encoded(picture), RestyleOrder(style="japandi")).data)[270]

        assert floor[30].sum() > floor[41].sum() + 10


class TestMask:
    async def test_limits_the_paint(self) -> None:
        order = RestyleOrder(style="bohemian", target_parts=("walls",))

        painted = colours(restyle(encoded(drawn_room()), order, mask(0, 60, 190, 220)).data)

        inside, outside = painted[140, 80], painted[140, 320]
        assert inside[0] - inside[2] > 40
        assert outside[0] - outside[2] < 20

    async def test_is_believed_where_no_wall_was_recognised(self) -> None:
        noise = np.random.default_rng(7).integers(90, 200, (300, 400, 3), dtype=np.uint8)
        order = RestyleOrder(style="bohemian", target_parts=("walls",))

        painted = restyle(encoded(Image.fromarray(noise)), order, mask(100, 100, 300, 200))

        assert painted.painted == ("wall",)

    async def test_that_is_black_paints_nothing(self) -> None:
        empty = encoded(Image.new("L", (400, 300), 0))

        painted = restyle(encoded(drawn_room()), RestyleOrder(style="bohemian"), empty)

        assert painted.painted == ()
        assert "No even wall was found inside the mask, so nothing was painted." in painted.notes


class TestPicture:
    async def test_is_scaled_down_to_the_limit(self) -> None:
        order = RestyleOrder(style="modern", max_pixels=30_000)

        small = restyle(encoded(drawn_room()), order)

        assert (small.width, small.height, small.content_type) == (200, 150, "image/jpeg")
        assert Image.open(io.BytesIO(small.data)).size == (200, 150)

    async def test_stands_upright(self) -> None:
        sideways = drawn_room()
        exif = Image.Exif()
        exif[0x0112] = 6  # the camera was turned
        target = io.BytesIO()
        sideways.save(target, "JPEG", exif=exif)

        turned = restyle(target.getvalue(), RestyleOrder(style="modern"))

        assert (turned.width, turned.height) == (300, 400)

    async def test_lies_on_white_where_it_is_transparent(self) -> None:
        hollow = Image.new("RGBA", (120, 90), (0, 0, 0, 0))

        filled = colours(restyle(encoded(hollow), RestyleOrder(style="minimalistic")).data)

        assert filled.min() > 235

    @pytest.mark.parametrize("size", [(1, 1), (3, 200), (9, 9)])
    async def test_may_be_tiny(self, size: tuple[int, int]) -> None:
        tiny = restyle(encoded(Image.new("RGB", size, "#808080")), RestyleOrder(style="rustic"))

        assert (tiny.width, tiny.height) == size

    async def test_must_be_one(self) -> None:
        with pytest.raises(UnidentifiedImageError):
            restyle(b"not a picture", RestyleOrder(style="modern"))


class TestProgress:
    async def test_grows_to_the_whole(self) -> None:
        told: list[float] = []

        restyle(encoded(drawn_room()), RestyleOrder(style="modern"), progress=told.append)

        assert told == sorted(told)
        assert told[-1] == 1.0
