"""The size that is asked for."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from medici.adapters.providers.openai.models import model_named
from medici.adapters.providers.openai.sizes import MOST_PIXELS, measured, output_size
from medici.fakes.openai.models import LIVE, allows_size
from tests.support.pixels import PAINTING, PHOTO

sides = st.integers(1, 30_000)


class TestMeasured:
    def test_reads_a_pictures_size(self) -> None:
        assert (measured(PHOTO), measured(PAINTING)) == ((64, 48), (32, 24))

    @pytest.mark.parametrize(
        "data", [b"", b"no picture", PHOTO[:2], PHOTO[:30], PAINTING[:20], b"\xff\xd8" + b"\0" * 9]
    )
    def test_takes_what_cannot_be_read_for_square(self, data: bytes) -> None:
        assert measured(data) == (1024, 1024)

    @given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8", PAINTING[:16]]))
    def test_ends_whatever_the_bytes_are(self, data: bytes, head: bytes) -> None:
        assert min(measured(head + data)) > 0

    @pytest.mark.parametrize("progressive", [True, False])
    def test_reads_both_kinds_of_jpeg(self, progressive: bool) -> None:
        out = BytesIO()
        Image.new("RGB", (300, 200)).save(out, "JPEG", progressive=progressive)

        assert measured(out.getvalue()) == (300, 200)


class TestOutputSize:
    @pytest.mark.parametrize(
        ("room", "most", "size"),
        [
            ((4000, 3000), 1_200_000, (1248, 944)),
            ((3000, 4000), 1_200_000, (944, 1248)),
            ((1000, 1000), 1_048_576, (1024, 1024)),
            ((1000, 1000), 100, (848, 848)),
            ((9000, 1000), 1_200_000, (1872, 624)),
            ((1920, 1080), 50_000_000, (2560, 1440)),
        ],
    )
    def test_follows_the_room_where_any_is_taken(
        self, room: tuple[int, int], most: int, size: tuple[int, int]
    ) -> None:
        model = model_named("gpt-image-2.5-flare")

        assert output_size(model, room=room, max_pixels=most) == size

    @pytest.mark.parametrize(
        ("room", "most", "size"),
        [
            ((4000, 3000), 2_000_000, (1536, 1024)),
            ((3000, 4000), 2_000_000, (1024, 1536)),
            ((1100, 1000), 2_000_000, (1024, 1024)),
            ((4000, 3000), 1_200_000, (1024, 1024)),
            ((4000, 3000), 100, (1024, 1024)),
        ],
    )
    def test_is_the_nearest_that_fits_where_three_are_taken(
        self, room: tuple[int, int], most: int, size: tuple[int, int]
    ) -> None:
        assert output_size(model_named("gpt-image-1.5"), room=room, max_pixels=most) == size

    @given(st.sampled_from(sorted(LIVE)), sides, sides, st.integers(1, 50_000_000))
    def test_is_one_that_the_model_takes(
        self, name: str, width: int, height: int, most: int
    ) -> None:
        size = output_size(model_named(name), room=(width, height), max_pixels=most)

        assert allows_size(LIVE[name], size)
        assert size[0] * size[1] <= max(min(most, MOST_PIXELS), 1024 * 1024)
