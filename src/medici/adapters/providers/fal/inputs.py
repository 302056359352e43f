"""What each of fal's models wants to be told."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from medici.adapters.providers.request import InputImage, RenderRequest

MOST_INLINE_BYTES = 1_000_000  # a larger picture is uploaded first
Input: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How a model takes its picture, and what it is told beside the prompt."""

    many: bool = False  # ``image_urls`` with a list instead of ``image_url``
    masked: bool = False  # takes ``mask_url``, white where the picture may change
    seeded: bool = True
    extra: Mapping[str, object]


PLAIN = Habit(extra={})
HABITS = {
    "fal-ai/flux/dev/image-to-image": Habit(extra={"strength": 0.85, "output_format": "png"}),
    "fal-ai/flux-pro/kontext": Habit(extra={"output_format": "png"}),
    "fal-ai/flux-pro/kontext/max": Habit(extra={"output_format": "png"}),
    "fal-ai/flux-2/edit": Habit(many=True, extra={"output_format": "png"}),
    "fal-ai/flux-2-lora-gallery/apartment-staging": Habit(
        many=True, extra={"output_format": "png"}
    ),
    "fal-ai/nano-banana/edit": Habit(many=True, extra={"output_format": "png"}),
    "fal-ai/bytedance/seedream/v4.5/edit": Habit(many=True, extra={}),
    "openai/gpt-image-2/edit": Habit(many=True, masked=True, seeded=False, extra={}),
}


def takes_mask(model: str) -> bool:
    return HABITS.get(model, PLAIN).masked


def model_input(request: RenderRequest, photo: str, mask: str | None = None) -> Input:
    """Return the input of the request's model; ``photo`` and ``mask`` are where it finds them."""
    habit = HABITS.get(request.model, PLAIN)
    given: Input = {"prompt": request.prompt, **habit.extra}
    given |= {"image_urls": [photo]} if habit.many else {"image_url": photo}
    if mask is not None:
        given["mask_url"] = mask
    if habit.seeded and request.seed:
        given["seed"] = request.seed
    return given


def data_uri(image: InputImage) -> str | None:
    """Return a small picture as an address that holds it; None where it is too large for that."""
    if len(image.data) > MOST_INLINE_BYTES:
        return None
    return f"data:{image.content_type};base64,{b64encode(image.data).decode()}"
