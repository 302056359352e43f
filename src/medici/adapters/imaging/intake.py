"""Turns a stranger's file into a picture that is nothing but pixels. Runs in the child only.

Whatever rode along (EXIF and its GPS, XMP, ICC, comments, thumbnails, text, trailers) dies here,
because the bytes that leave are encoded anew from the decoded pixels.
"""

import struct
import warnings
from io import BytesIO

from PIL import Image, ImageCms

from medici.adapters.imaging.containers import Format, Outline, outline
from medici.adapters.imaging.errors import (
    FileTooLarge,
    ImageTooLarge,
    PictureRefused,
    TooManyFrames,
    UndecodableImage,
)
from medici.adapters.imaging.pictures import Picture, PictureLimits

ORIENTATION_TAG = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
UPRIGHT = 1
OPAQUE = 255
JPEG_QUALITY = 92
PNG_COMPRESSION = 3  # of 9; higher levels cost many times the work for a few percent
SRGB = ImageCms.createProfile("sRGB")
DEFAULT_LIMITS = PictureLimits()


def sanitise(data: bytes, limits: PictureLimits = DEFAULT_LIMITS) -> Picture:
    """Decode, set upright, bring to sRGB and encode again.

    The first frame of an animation is kept. The result is a PNG where a pixel is really transparent
    or the file was a grey PNG (masks stay sharp), else a JPEG.

    Raises:
        FileTooLarge, ImageTooLarge, TooManyFrames: beyond ``limits``.
        UnsupportedImage, UndecodableImage: not a picture that we can take.
        MemoryError: the process may not use as much as the work needs.
    """
    if len(data) > limits.max_bytes:
        raise FileTooLarge(f"{len(data)} bytes, {limits.max_bytes} are allowed")
    claims = outline(data)
    _refuse_excess(claims, limits)
    image = _decode(data, claims)
    return _encode(image, as_png=_deserves_png(image, claims.format), limits=limits)


def _refuse_excess(claims: Outline, limits: PictureLimits) -> None:
    if claims.width * claims.height > limits.max_pixels:
        raise ImageTooLarge(
            f"{claims.width}×{claims.height} pixels, {limits.max_pixels} are allowed"
        )
    if max(claims.width, claims.height) > limits.max_side:
        raise ImageTooLarge(f"a side is longer than {limits.max_side} pixels")
    if claims.frames > limits.max_frames:
        raise TooManyFrames(f"{claims.frames} frames, {limits.max_frames} are allowed")


def _decode(data: bytes, claims: Outline) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a refusal is all that a damaged file deserves
            image = Image.open(BytesIO(data), formats=[claims.format])
            if image.size != (claims.width, claims.height):
                raise UndecodableImage("the file names two different sizes")
            image.load()
            return _in_srgb(_upright(image))
    except (MemoryError, PictureRefused):
        raise
    except Exception as error:  # decoders raise nearly anything when they are fed hostile bytes
        raise UndecodableImage(f"the picture cannot be decoded: {error}") from error


def _upright(image: Image.Image) -> Image.Image:
    turn = TURNS.get(_orientation(image))
    if turn is None:
        return image
    turned = image.transpose(turn)
    turned.info = image.info
    return turned


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION_TAG, UPRIGHT))
    except (SyntaxError, ValueError, TypeError, LookupError, OSError, struct.error):
        return UPRIGHT  # cameras write broken EXIF; the picture beside it is still good


def _in_srgb(image: Image.Image) -> Image.Image:
    """Return the pixels as L, RGB or RGBA in sRGB, with nothing attached."""
    profile = image.info.get("icc_profile")
    plain = _plain(image)
    if profile and plain.mode != "L":
        plain = _converted(plain, profile)
    if plain.mode == "CMYK":
        plain = plain.convert("RGB")
    plain.info = {}
    return plain


def _plain(image: Image.Image) -> Image.Image:
    if image.mode == "I;16":
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        return _without_opaque_alpha(image.convert("RGBA"))
    if image.mode in {"L", "RGB", "CMYK"}:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _without_opaque_alpha(image: Image.Image) -> Image.Image:
    lowest, _ = image.getchannel("A").getextrema()
    return image.convert("RGB") if lowest == OPAQUE else image


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    target = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, SRGB, outputMode=target)
    except (ImageCms.PyCMSError, OSError):
        return image  # a profile that does not fit its picture says nothing about it
    return converted or image


def _deserves_png(image: Image.Image, source: Format) -> bool:
    return image.mode == "RGBA" or (image.mode == "L" and source is Format.PNG)


def _encode(image: Image.Image, *, as_png: bool, limits: PictureLimits) -> Picture:
    out = BytesIO()
    if as_png:
        image.save(out, "PNG", compress_level=PNG_COMPRESSION)
    else:
        image.save(out, "JPEG", quality=JPEG_QUALITY)
    if out.tell() > limits.max_output_bytes:
        raise ImageTooLarge("the transparent picture is too large once it is encoded anew")
    return Picture(
        data=out.getvalue(),
        content_type="image/png" if as_png else "image/jpeg",
        width=image.width,
        height=image.height,
    )
