"""The pictures of an edit, judged as the API judges them."""

from collections.abc import Sequence
from dataclasses import dataclass

from medici.adapters.imaging.containers import Format, outline
from medici.adapters.imaging.errors import PictureRefused
from medici.fakes.forms import FormPart
from medici.fakes.openai.models import Model, Size
from medici.fakes.openai.refusals import Refused

MEBIBYTE = 1024 * 1024
MOST_IMAGES = 16
COLOUR_TYPE_AT = 25  # in the header of a PNG
WITH_ALPHA = frozenset({4, 6})
FILES = frozenset({"image", "image[]", "mask", "markup"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploads:
    """What was sent along. ``sizes`` are those of the images, in their order."""

    sizes: list[Size]
    mask: bytes | None
    markup: bytes | None


def uploads_of(parts: Sequence[FormPart]) -> Uploads:
    """Judge the files.

    Raises:
        Refused: one of them is missing, too many, too large, or not what it should be.
    """
    images = [part.data for part in parts if part.name == "image"]
    several = [part.data for part in parts if part.name == "image[]"]
    if len(images) > 1 or (images and several):
        raise Refused("Send one 'image', or several as 'image[]'.", param="image")
    if not 1 <= len(images + several) <= MOST_IMAGES:
        raise Refused("Between 1 and 16 images are needed.", param="image", code="missing")
    sizes = [_image_size(data) for data in images + several]
    mask, markup = _overlay(parts, "mask", sizes[0]), _overlay(parts, "markup", sizes[0])
    if mask and markup:
        raise Refused("'mask' and 'markup' exclude each other.", param="markup")
    return Uploads(sizes=sizes, mask=mask, markup=markup)


def judge_markup(uploads: Uploads, model: Model) -> None:
    if uploads.markup and not model.markup:
        raise Refused("Unknown parameter: 'markup'.", param="markup", code="unknown_parameter")


def _image_size(data: bytes) -> Size:
    if len(data) >= 50 * MEBIBYTE:
        raise Refused("The image is too large.", param="image", code="image_too_large")
    try:
        claims = outline(data)
    except PictureRefused as refusal:
        raise Refused(str(refusal), param="image", code="invalid_image_file") from refusal
    return claims.width, claims.height


def _overlay(parts: Sequence[FormPart], name: str, size: Size) -> bytes | None:
    data = next((part.data for part in parts if part.name == name), None)
    if data is None:
        return None
    if len(data) >= 4 * MEBIBYTE or not _fits(data, size):
        message = f"The {name} must be a PNG below 4 MB with an alpha channel, sized as the image."
        raise Refused(message, param=name, code="invalid_image_file")
    return data


def _fits(data: bytes, size: Size) -> bool:
    try:
        claims = outline(data)
    except PictureRefused:
        return False
    same = (claims.width, claims.height) == size
    return claims.format is Format.PNG and same and data[COLOUR_TYPE_AT] in WITH_ALPHA
