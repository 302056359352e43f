"""A customer's mask, as OpenAI reads masks: transparent where the picture may change."""

from medici.adapters.imaging.errors import (
    ImageOperationFailed,
    ImageProcessUnavailable,
    PictureRefused,
)
from medici.adapters.imaging.pixel_work import PixelWork
from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.openai.models import Size
from medici.adapters.providers.request import InputImage

TIMEOUT_SECONDS = 30.0


async def cut_out(pixels: PixelWork, mask: InputImage, *, size: Size) -> bytes:
    """Turn a mask that is white where something may change into a PNG of ``size``.

    Raises:
        ProviderFailure: it cannot be turned, so nothing was sent.
    """
    width, height = size
    try:
        blobs, _ = await pixels.call(
            "cut_out",
            mask.data,
            {"width": width, "height": height},
            timeout_seconds=TIMEOUT_SECONDS,
            patient=True,
        )
    except PictureRefused as error:
        raise ProviderFailure(FailureCode.INVALID_INPUT, error.code) from error
    except ImageProcessUnavailable as error:
        raise ProviderFailure(FailureCode.UNAVAILABLE, error.code) from error
    except ImageOperationFailed as error:
        raise ProviderFailure(FailureCode.PROVIDER_FAILED, error.code) from error
    return blobs[0]
