"""Masks, as others read them."""

from io import BytesIO

import pytest
from PIL import Image

from medici.adapters.imaging.errors import UndecodableImage
from medici.adapters.imaging.masks import see_through


def png(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def alpha_of(data: bytes) -> Image.Image:
    with Image.open(BytesIO(data)) as opened:
        assert opened.mode == "RGBA"
        return opened.getchannel("A")


class TestSeeThrough:
    def test_is_transparent_where_the_mask_is_white(self) -> None:
        mask = Image.new("L", (4, 2), 0)
        mask.paste(255, (2, 0, 4, 2))

        alpha = alpha_of(see_through(png(mask), (4, 2)))

        assert list(alpha.tobytes()) == [255, 255, 0, 0] * 2

    def test_has_the_size_that_is_asked_for_and_sharp_edges(self) -> None:
        mask = Image.new("L", (4, 2), 0)
        mask.paste(255, (2, 0, 4, 2))

        alpha = alpha_of(see_through(png(mask), (400, 200)))

        assert alpha.size == (400, 200)
        assert set(alpha.tobytes()) == {0, 255}

    def test_keeps_what_is_transparent_in_the_mask(self) -> None:
        mask = Image.new("RGBA", (2, 1), (255, 255, 255, 0))
        mask.putpixel((1, 0), (255, 255, 255, 255))

        assert list(alpha_of(see_through(png(mask), (2, 1))).tobytes()) == [255, 0]

    def test_reads_grey_from_the_middle_on_as_white(self) -> None:
        mask = Image.new("L", (2, 1), 127)
        mask.putpixel((1, 0), 128)

        assert list(alpha_of(see_through(png(mask), (2, 1))).tobytes()) == [255, 0]

    def test_refuses_what_is_no_picture(self) -> None:
        with pytest.raises(UndecodableImage):
            see_through(b"no picture", (2, 1))
