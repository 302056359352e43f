"""From what is wanted to the form that OpenAI's edit endpoint reads."""

from dataclasses import dataclass
from io import BytesIO

import aiohttp

from medici.adapters.providers.openai.models import Size, model_named
from medici.adapters.providers.openai.sizes import measured, output_size
from medici.adapters.providers.request import InputImage, RenderRequest, Tier

LONGEST_PROMPT = 32_000  # characters
QUALITIES = {Tier.PREVIEW: "low", Tier.FINAL: "medium"}
FORMATS = {Tier.PREVIEW: "jpeg", Tier.FINAL: "png"}  # a final is encoded once, and that by us


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked for beside the pictures. ``room`` is the size of the input."""

    model: str
    prompt: str
    room: Size
    size: Size
    quality: str
    output_format: str
    input_fidelity: str | None

    @property
    def pixels(self) -> int:
        width, height = self.size
        return width * height


def order_of(request: RenderRequest) -> Order:
    """Choose everything that the request leaves open."""
    model = model_named(request.model)
    room = measured(request.image.data)
    return Order(
        model=request.model,
        prompt=request.prompt[:LONGEST_PROMPT],
        room=room,
        size=output_size(model, room=room, max_pixels=request.max_pixels),
        quality=QUALITIES[request.tier],
        output_format=FORMATS[request.tier],
        input_fidelity=model.input_fidelity,
    )


def edit_form(order: Order, image: InputImage, mask: bytes | None) -> aiohttp.FormData:
    """Write the form; ``mask`` is a PNG of the image's size, transparent where it may change."""
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in _fields(order).items():
        form.add_field(name, value)
    photo = BytesIO(image.data)
    form.add_field("image", photo, filename="image", content_type=image.content_type)
    if mask is not None:
        form.add_field("mask", BytesIO(mask), filename="mask.png", content_type="image/png")
    return form


def _fields(order: Order) -> dict[str, str]:
    width, height = order.size
    fields = {
        "model": order.model,
        "prompt": order.prompt,
        "size": f"{width}x{height}",
        "quality": order.quality,
        "output_format": order.output_format,
    }
    if order.input_fidelity is not None:
        fields["input_fidelity"] = order.input_fidelity
    return fields
