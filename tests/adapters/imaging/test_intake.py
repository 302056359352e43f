"""What intake refuses, and that what it lets through is nothing but pixels."""

from io import BytesIO

import pytest
from PIL import Image, ImageCms
from PIL.JpegImagePlugin import JpegImageFile

from medici.adapters.imaging.errors import (
    FileTooLarge,
    ImageTooLarge,
    PictureRefused,
    TooManyFrames,
    UndecodableImage,
    UnsupportedImage,
)
from medici.adapters.imaging.intake import sanitise
from medici.adapters.imaging.pictures import Picture, PictureLimits
from medici.kernel.errors import Kind
from tests.attacks import images

RED, GREEN, BLUE, GREY = (254, 0, 0), (0, 128, 1), (0, 0, 254), (128, 128, 128)


def corners(picture: Picture) -> list[str]:
    """Name the colours of a picture's corners: top left, top right, bottom left, bottom right."""
    with Image.open(BytesIO(picture.data)) as image:
        pixels = image.convert("RGB")
    right, bottom = picture.width - 4, picture.height - 4
    return [_name(pixels.getpixel(at)) for at in ((3, 3), (right, 3), (3, bottom), (right, bottom))]


def _name(pixel: object) -> str:
    names = {"red": RED, "green": GREEN, "blue": BLUE, "grey": GREY}
    assert isinstance(pixel, tuple)
    return min(
        names, key=lambda name: sum(abs(a - b) for a, b in zip(pixel, names[name], strict=True))
    )


def refusal(data: bytes, limits: PictureLimits | None = None) -> PictureRefused:
    with pytest.raises(PictureRefused) as refused:
        sanitise(data, limits or PictureLimits())
    return refused.value


class TestKept:
    @pytest.mark.parametrize("make", [images.jpeg, images.png, images.webp])
    def test_every_format_becomes_a_jpeg_of_the_same_size(self, make: type) -> None:
        picture = sanitise(make())

        assert (picture.content_type, picture.width, picture.height) == ("image/jpeg", 24, 16)
        assert picture.data.startswith(b"\xff\xd8\xff")
        assert corners(picture) == ["red", "green", "blue", "grey"]

    def test_real_transparency_is_kept_as_png(self) -> None:
        image = images.picture(mode="RGBA")
        image.putpixel((0, 0), (255, 0, 0, 7))

        picture = sanitise(images.encoded(image, "WEBP", lossless=True))

        assert picture.content_type == "image/png"
        with Image.open(BytesIO(picture.data)) as kept:
            assert kept.mode == "RGBA"
            assert kept.getpixel((0, 0)) == (255, 0, 0, 7)

    def test_an_opaque_alpha_channel_is_dropped(self) -> None:
        assert sanitise(images.encoded(images.picture(mode="RGBA"), "PNG")).content_type == (
            "image/jpeg"
        )

    def test_a_grey_mask_stays_sharp(self) -> None:
        mask = Image.new("L", (24, 16), 0)
        mask.paste(255, (3, 3, 9, 9))

        picture = sanitise(images.encoded(mask, "PNG"))

        assert picture.content_type == "image/png"
        with Image.open(BytesIO(picture.data)) as kept:
            assert (kept.mode, kept.tobytes()) == ("L", mask.tobytes())

    def test_a_mask_of_single_bits_becomes_grey(self) -> None:
        picture = sanitise(images.encoded(images.picture(mode="1"), "PNG"))

        with Image.open(BytesIO(picture.data)) as kept:
            assert kept.mode == "L"

    def test_sixteen_bits_are_scaled_to_eight(self) -> None:
        deep = Image.new("I;16", (8, 8), 0x8000)

        with Image.open(BytesIO(sanitise(images.encoded(deep, "PNG")).data)) as kept:
            assert kept.getpixel((0, 0)) == 0x80

    def test_a_palette_with_a_transparent_colour_is_kept_as_png(self) -> None:
        image = images.picture(mode="P")
        first = image.getpixel((0, 0))

        picture = sanitise(images.encoded(image, "PNG", transparency=first))

        with Image.open(BytesIO(picture.data)) as kept:
            assert kept.mode == "RGBA"
            assert kept.getchannel("A").getpixel((0, 0)) == 0

    def test_print_colours_become_screen_colours(self) -> None:
        picture = sanitise(images.encoded(images.picture(mode="CMYK"), "JPEG"))

        with Image.open(BytesIO(picture.data)) as kept:
            assert kept.mode == "RGB"
        assert corners(picture)[0] == "red"

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    def test_orientation_is_applied(self, kind: str, orientation: int) -> None:
        stored = images.picture()
        undo = {
            2: Image.Transpose.FLIP_LEFT_RIGHT,
            3: Image.Transpose.ROTATE_180,
            4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE,
            6: Image.Transpose.ROTATE_90,
            7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_270,
        }
        if orientation in undo:
            stored = stored.transpose(undo[orientation])

        picture = sanitise(
            images.encoded(
                stored, kind, exif=images.exif(images.MAKERS[0], orientation=orientation)
            )
        )

        assert (picture.width, picture.height) == (24, 16)
        assert corners(picture) == ["red", "green", "blue", "grey"]

    def test_another_colour_space_is_converted(self) -> None:
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        swapped = lab.replace(b"rXYZ", b"tmpX").replace(b"bXYZ", b"rXYZ").replace(b"tmpX", b"bXYZ")

        picture = sanitise(images.jpeg(icc_profile=swapped))

        assert corners(picture)[0] == "blue"  # the profile says that red is blue

    @pytest.mark.parametrize("profile", [b"no profile", b"", bytes(4096)])
    def test_a_broken_profile_is_ignored(self, profile: bytes) -> None:
        assert corners(sanitise(images.jpeg(icc_profile=profile)))[0] == "red"

    def test_broken_exif_is_ignored(self) -> None:
        broken = images.jpeg_segment_added(images.jpeg(), (0xE1, b"Exif\0\0XX*\0garbage"))

        assert corners(sanitise(broken))[0] == "red"

    @pytest.mark.parametrize("make", [images.animated_png, images.animated_webp])
    def test_the_first_of_a_hundred_frames_is_kept(self, make: type) -> None:
        picture = sanitise(make(100))

        assert corners(picture) == ["red", "green", "blue", "grey"]

    def test_an_ordinary_progressive_file_is_taken(self) -> None:
        assert sanitise(images.jpeg(progressive=True)).width == 24

    def test_the_first_picture_of_a_phone_s_file_of_several_is_kept(self) -> None:
        several = images.encoded(
            images.picture(), "MPO", save_all=True, append_images=[Image.new("RGB", (24, 16))]
        )

        assert corners(sanitise(several)) == ["red", "green", "blue", "grey"]

    def test_the_same_file_gives_the_same_bytes(self) -> None:
        assert sanitise(images.jpeg()) == sanitise(images.jpeg())


class TestRefused:
    @pytest.mark.parametrize("data", images.IMPOSTORS.values(), ids=images.IMPOSTORS.keys())
    def test_what_is_not_a_picture_of_ours(self, data: bytes) -> None:
        refused = refusal(data)

        assert type(refused) is UnsupportedImage
        assert (refused.code, refused.kind) == ("unsupported_image", Kind.UNSUPPORTED_MEDIA)

    @pytest.mark.parametrize("make", images.DAMAGED.values(), ids=images.DAMAGED.keys())
    def test_what_is_damaged_or_built_to_harm(self, make: type) -> None:
        refused = refusal(make())

        assert type(refused) is UndecodableImage
        assert (refused.code, refused.kind) == ("undecodable_image", Kind.UNPROCESSABLE)

    @pytest.mark.parametrize("make", [images.huge_png, images.huge_webp])
    def test_more_pixels_than_we_decode(self, make: type) -> None:
        refused = refusal(make())

        assert type(refused) is ImageTooLarge
        assert (refused.code, refused.kind) == ("image_too_large", Kind.TOO_LARGE)

    def test_one_pixel_more_than_allowed(self) -> None:
        assert sanitise(images.png(), PictureLimits(max_pixels=384)).width == 24
        assert type(refusal(images.png(), PictureLimits(max_pixels=383))) is ImageTooLarge

    def test_a_ribbon(self) -> None:
        ribbon = images.encoded(Image.new("L", (30_001, 1)), "PNG")

        assert type(refusal(ribbon)) is ImageTooLarge

    def test_one_byte_more_than_allowed(self) -> None:
        size = len(images.png())

        assert sanitise(images.png(), PictureLimits(max_bytes=size)).width == 24
        refused = refusal(images.png(), PictureLimits(max_bytes=size - 1))
        assert type(refused) is FileTooLarge
        assert (refused.code, refused.kind) == ("file_too_large", Kind.TOO_LARGE)

    @pytest.mark.parametrize(
        "data",
        [
            images.animated_png(101),
            images.animated_png(10_000),
            images.animated_png(10_000, declared=1),
            images.animated_png(2, declared=10_000),
            images.animated_webp(101),
            images.animated_webp(10_000),
        ],
        ids=["101", "10,000", "10,000 said to be 1", "2 said to be 10,000", "WEBP 101", "WEBP"],
    )
    def test_more_frames_than_we_read(self, data: bytes) -> None:
        refused = refusal(data)

        assert type(refused) is TooManyFrames
        assert (refused.code, refused.kind) == ("too_many_frames", Kind.UNPROCESSABLE)

    def test_a_transparent_picture_that_grows_too_much(self) -> None:
        image = images.picture(mode="RGBA")
        image.putpixel((0, 0), (0, 0, 0, 0))

        refused = refusal(images.encoded(image, "PNG"), PictureLimits(max_output_bytes=10))

        assert type(refused) is ImageTooLarge


class TestNothingRidesAlong:
    @pytest.mark.parametrize("data", images.smuggled().values(), ids=images.smuggled().keys())
    def test_no_canary_survives(self, data: bytes) -> None:
        picture = sanitise(data)

        assert images.CANARY not in picture.data
        assert_bare(picture)

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    @pytest.mark.parametrize("maker", images.MAKERS, ids=[maker[0] for maker in images.MAKERS])
    def test_no_camera_and_no_place_survives(self, maker: images.Maker, kind: str) -> None:
        data = images.encoded(images.picture(), kind, exif=images.exif(maker))
        assert images.CANARY in data  # the attack is a real one

        picture = sanitise(data)

        assert_bare(picture)
        assert maker[0].encode() not in picture.data
        assert images.CANARY not in picture.data


def assert_bare(picture: Picture) -> None:
    """Check that a file has the parts that hold pixels and no others."""
    with Image.open(BytesIO(picture.data)) as image:
        assert dict(image.getexif()) == {}
        assert image.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        if isinstance(image, JpegImageFile):
            assert [name for name, _ in image.applist] == ["APP0"]
            assert picture.data.endswith(b"\xff\xd9")
        else:
            kinds = [kind for kind, _ in images.png_chunks(picture.data)]
            assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}
            assert kinds[-1] == b"IEND"
