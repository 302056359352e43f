"""What each model on Replicate wants to be told, and by which names."""

from base64 import b64encode
from collections.abc import Callable
from typing import TypeAlias

from medici.adapters.providers.request import InputImage, RenderRequest

Input: TypeAlias = dict[str, str | int]
MOST_DATA_URI_CHARACTERS = 256 * 1024
STRICTEST_WITH_A_PICTURE = 2  # of safety_tolerance, where an input picture forbids more


def model_input(request: RenderRequest, image_url: str) -> Input:
    """Say in the model's own words what is wanted; an unknown one gets the prompt and the photo."""
    name, _, _version = request.model.partition(":")
    return MAPPINGS.get(name, _plain)(request, image_url)


def data_uri(image: InputImage) -> str | None:
    """Write a small picture as an address that holds it; None where it is too large for that."""
    encoded = b64encode(image.data).decode()
    uri = f"data:{image.content_type};base64,{encoded}"
    return uri if len(uri) < MOST_DATA_URI_CHARACTERS else None


def _plain(request: RenderRequest, image_url: str) -> Input:
    return {"prompt": request.prompt, "input_image": image_url}


def _flux_kontext(request: RenderRequest, image_url: str) -> Input:
    return {
        "prompt": request.prompt,
        "input_image": image_url,
        "aspect_ratio": "match_input_image",
        "output_format": "png",
        "safety_tolerance": STRICTEST_WITH_A_PICTURE,
        "seed": request.seed,
    }


MAPPINGS: dict[str, Callable[[RenderRequest, str], Input]] = {
    "black-forest-labs/flux-kontext-pro": _flux_kontext,
    "black-forest-labs/flux-kontext-max": _flux_kontext,
}
