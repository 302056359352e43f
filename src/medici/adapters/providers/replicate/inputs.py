"""What each model on Replicate wants to be told, and by which names."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from medici.adapters.providers.request import InputImage, RenderRequest

Input: TypeAlias = dict[str, str | int | list[str]]
MOST_DATA_URI_CHARACTERS = 256 * 1024
STRICTEST_WITH_A_PICTURE = 2  # of safety_tolerance, where an input picture forbids more


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How a model takes its picture, and what it is told beside the prompt."""

    photo: str = "input_image"
    many: bool = False  # the photo stands in a list
    seeded: bool = False
    extra: Mapping[str, str | int] = field(default_factory=dict)


PLAIN = Habit()
KEEP_SHAPE: Mapping[str, str | int] = {"aspect_ratio": "match_input_image"}
PNG: Mapping[str, str | int] = {**KEEP_SHAPE, "output_format": "png"}
STRICT_PNG = {**PNG, "safety_tolerance": STRICTEST_WITH_A_PICTURE}
KONTEXT = Habit(seeded=True, extra=STRICT_PNG)
FLUX_2 = Habit(photo="input_images", many=True, seeded=True, extra=STRICT_PNG)
SEEDREAM = Habit(
    photo="image_input",
    many=True,
    extra={**KEEP_SHAPE, "sequential_image_generation": "disabled"},
)
HABITS = {
    "black-forest-labs/flux-kontext-pro": KONTEXT,
    "black-forest-labs/flux-kontext-max": KONTEXT,
    "black-forest-labs/flux-2-pro": FLUX_2,
    "black-forest-labs/flux-2-max": FLUX_2,
    "google/nano-banana": Habit(photo="image_input", many=True, extra=PNG),
    "bytedance/seedream-4": SEEDREAM,
    "bytedance/seedream-4.5": SEEDREAM,
}


def model_input(request: RenderRequest, image_url: str) -> Input:
    """Say in the model's own words what is wanted; an unknown one gets the prompt and the photo."""
    name, _, _version = request.model.partition(":")
    habit = HABITS.get(name, PLAIN)
    given: Input = {"prompt": request.prompt, **habit.extra}
    given[habit.photo] = [image_url] if habit.many else image_url
    if habit.seeded:
        given["seed"] = request.seed
    return given


def data_uri(image: InputImage) -> str | None:
    """Write a small picture as an address that holds it; None where it is too large for that."""
    encoded = b64encode(image.data).decode()
    uri = f"data:{image.content_type};base64,{encoded}"
    return uri if len(uri) < MOST_DATA_URI_CHARACTERS else None
