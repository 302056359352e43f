"""How many tokens a call takes: a function of what is asked for, so that bills repeat."""

from math import ceil
from typing import Any

from medici.fakes.openai.models import Size

SQUARE_PIXELS = 1024 * 1024
PAINTED = {"low": 272, "medium": 1056, "high": 4160, "xhigh": 6208, "max": 13_952}
PIXELS_PER_TOKEN = 1024
MOST_PER_INPUT = 1536


def text_tokens(prompt: str) -> int:
    return ceil(len(prompt) / 4)


def input_tokens(images: list[Size]) -> int:
    return sum(min(MOST_PER_INPUT, ceil(w * h / PIXELS_PER_TOKEN)) for w, h in images)


def output_tokens(size: Size, quality: str, pictures: int) -> int:
    width, height = size
    return pictures * ceil(PAINTED[quality] * width * height / SQUARE_PIXELS)


def usage(*, text_in: int, image_in: int, image_out: int, details: bool) -> dict[str, Any]:
    """Return the block as the API writes it; ``details`` of the output are often left out."""
    told: dict[str, Any] = {
        "total_tokens": text_in + image_in + image_out,
        "input_tokens": text_in + image_in,
        "input_tokens_details": {"text_tokens": text_in, "image_tokens": image_in},
        "output_tokens": image_out,
    }
    if details:
        told["output_tokens_details"] = {"image_tokens": image_out, "text_tokens": 0}
    return told
