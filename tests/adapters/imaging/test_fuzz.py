"""Two thousand damaged pictures, and never anything but a picture or a named refusal."""

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from medici.adapters.imaging.errors import PictureRefused
from medici.adapters.imaging.intake import sanitise
from medici.adapters.imaging.pictures import Picture
from tests.attacks import images

SEEDS = [
    images.jpeg(),
    images.jpeg(progressive=True, exif=images.exif(images.MAKERS[0], orientation=6)),
    images.jpeg(icc_profile=images.profile()),
    images.encoded(images.picture(mode="CMYK"), "JPEG"),
    images.png(),
    images.png(icc_profile=images.profile(), exif=images.exif(images.MAKERS[1], orientation=5)),
    images.encoded(images.picture(mode="P"), "PNG"),
    images.encoded(images.picture(mode="LA"), "PNG"),
    images.encoded(images.picture(mode="I;16"), "PNG"),
    images.animated_png(3),
    images.webp(),
    images.webp(lossless=True, exif=images.exif(images.MAKERS[2], orientation=8)),
    images.animated_webp(3),
]

FLIPS = st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(1, 255)), min_size=1, max_size=12)


def mutated(seed: bytes, flips: list[tuple[int, int]], kept: float, *, repair: bool) -> bytes:
    """Flip bytes all over the file, cut its end off, and perhaps make its checksums right again."""
    data = bytearray(seed)
    for position, bits in flips:
        data[position % len(data)] ^= bits
    cut = bytes(data[: max(1, round(len(data) * kept))])
    return images.repaired_png(cut) if repair and cut.startswith(images.PNG_MAGIC) else cut


class TestMutations:
    @settings(
        max_examples=2000,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @example(seed=images.jpeg(), flips=[(0, 255)], kept=1.0, repair=False)
    @given(
        seed=st.sampled_from(SEEDS),
        flips=FLIPS,
        kept=st.one_of(st.just(1.0), st.floats(0, 1)),
        repair=st.booleans(),
    )
    def test_end_in_a_picture_or_a_refusal(
        self, seed: bytes, flips: list[tuple[int, int]], kept: float, repair: bool
    ) -> None:
        try:
            outcome: object = sanitise(mutated(seed, flips, kept, repair=repair))
        except PictureRefused as refused:
            outcome = refused

        assert isinstance(outcome, Picture | PictureRefused)

    @settings(max_examples=300, deadline=None)
    @given(
        magic=st.sampled_from([images.PNG_MAGIC, b"\xff\xd8\xff", b"RIFF\xff\0\0\0WEBPVP8X"]),
        rest=st.binary(max_size=400),
    )
    def test_noise_behind_good_first_bytes_is_refused(self, magic: bytes, rest: bytes) -> None:
        try:
            outcome: object = sanitise(magic + rest)
        except PictureRefused as refused:
            outcome = refused

        assert isinstance(outcome, PictureRefused)
