"""The operations as plain functions of this process."""

from dataclasses import asdict

from medici.adapters.imaging.errors import ImageOperationFailed
from medici.adapters.imaging.host import ImageProcess
from medici.adapters.imaging.pictures import Picture, PictureLimits

INTAKE_TIMEOUT_SECONDS = 30.0
DEFAULT_LIMITS = PictureLimits()


async def take_in(
    process: ImageProcess,
    data: bytes,
    limits: PictureLimits = DEFAULT_LIMITS,
    *,
    patient: bool = False,
) -> Picture:
    """Make a clean picture of a stranger's file; ``patient`` callers wait however many there are.

    Raises:
        PictureRefused: with the code that says why.
        ImageProcessUnavailable: nothing is known of the file; it may be sent again.
    """
    blobs, info = await process.call(
        "intake",
        data,
        asdict(limits),
        timeout_seconds=INTAKE_TIMEOUT_SECONDS,
        patient=patient,
    )
    match blobs, info:
        case [bytes(clean)], {
            "content_type": str(content_type),
            "width": int(width),
            "height": int(height),
        }:
            return Picture(data=clean, content_type=content_type, width=width, height=height)
    raise ImageOperationFailed("intake gave an answer that nobody understands")
