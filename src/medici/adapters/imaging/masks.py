"""Turning our masks into those of others. Runs in the child only."""

from io import BytesIO

from PIL import Image

from medici.adapters.imaging.errors import UndecodableImage

CHANGES_FROM = 128  # the grey from which a pixel counts as white


def see_through(mask: bytes, size: tuple[int, int]) -> bytes:
    """Return a black PNG of ``size`` (width, height), transparent where the mask is white.

    What is transparent in the mask itself counts as black.

    Raises:
        UndecodableImage: the mask is damaged, or no picture at all.
    """
    try:
        with Image.open(BytesIO(mask)) as opened:
            grey = _on_black(opened).resize(size, Image.Resampling.BILINEAR)
    except OSError as error:
        raise UndecodableImage(f"the mask cannot be decoded: {error}") from error
    kept = grey.point(lambda value: 0 if value >= CHANGES_FROM else 255)
    cut = Image.new("RGBA", size, (0, 0, 0, 255))
    cut.putalpha(kept)
    out = BytesIO()
    cut.save(out, "PNG")
    return out.getvalue()


def _on_black(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("L")
    layered = picture.convert("RGBA")
    ground = Image.new("RGBA", layered.size, (0, 0, 0, 255))
    ground.alpha_composite(layered)
    return ground.convert("L")
