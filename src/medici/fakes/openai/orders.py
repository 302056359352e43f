"""What a call asks for, judged field by field as the API judges it."""

from collections.abc import Mapping
from dataclasses import dataclass

from medici.fakes.openai.models import (
    DEAD,
    DEFAULT_MODEL,
    LIVE,
    Model,
    Size,
    allows_size,
    fitting_size,
)
from medici.fakes.openai.refusals import Refused

COMMON = frozenset(
    {
        *("model", "prompt", "n", "size", "quality", "output_format", "output_compression"),
        *("background", "complexity", "safety_identifier", "user"),
    }
)
GENERATING = COMMON | {"moderation"}
EDITING = COMMON | {"input_fidelity"}
CHOICES = {
    "output_format": ("png", "jpeg", "webp"),
    "background": ("auto", "opaque", "transparent"),
    "complexity": ("low", "medium", "high"),
    "moderation": ("auto", "low"),
}
LONGEST_PROMPT = 32_000
MOST_PICTURES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A call without a fault; ``auto`` is resolved."""

    model: str
    prompt: str
    pictures: int
    size: Size
    quality: str
    output_format: str
    background: str
    safety_identifier: str | None


def order_of(fields: Mapping[str, str], known: frozenset[str], *, room: Size) -> Order:
    """Judge the fields; ``room`` is the shape that ``auto`` follows.

    Raises:
        Refused: the first field that is wrong.
    """
    for name in fields:
        if name not in known:
            raise Refused(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
    name = fields.get("model", DEFAULT_MODEL)
    model = _model(name)
    _judge_choices(fields, model)
    return Order(
        model=name,
        prompt=_prompt(fields),
        pictures=_number(fields, "n", 1, MOST_PICTURES, default=1),
        size=_size(fields, model, room),
        quality=_quality(fields, model),
        output_format=fields.get("output_format", "png"),
        background=fields.get("background", "auto").replace("auto", "opaque"),
        safety_identifier=fields.get("safety_identifier"),
    )


def _model(name: str) -> Model:
    if name in DEAD:
        raise Refused(f"The model '{name}' was shut down.", param="model", code="model_not_found")
    if name not in LIVE:
        raise Refused(f"The model '{name}' does not exist.", param="model", code="model_not_found")
    return LIVE[name]


def _judge_choices(fields: Mapping[str, str], model: Model) -> None:
    for name, allowed in CHOICES.items():
        if name in fields and fields[name] not in allowed:
            raise _invalid(name, fields[name])
    fidelity = fields.get("input_fidelity")
    if fidelity is not None and fidelity not in model.fidelities:
        raise _invalid("input_fidelity", fidelity)
    opaque = fields.get("output_format") == "jpeg"
    if opaque and fields.get("background") == "transparent":
        raise _invalid("background", "transparent")
    if "output_compression" in fields:
        _number(fields, "output_compression", 0, 100, default=100)
        if fields.get("output_format", "png") == "png":
            raise _invalid("output_compression", fields["output_compression"])


def _prompt(fields: Mapping[str, str]) -> str:
    prompt = fields.get("prompt", "")
    if not prompt:
        raise Refused("Missing required parameter: 'prompt'.", param="prompt", code="missing")
    if len(prompt) > LONGEST_PROMPT:
        raise Refused("The prompt is too long.", param="prompt", code="string_above_max_length")
    return prompt


def _size(fields: Mapping[str, str], model: Model, room: Size) -> Size:
    text = fields.get("size", "auto")
    if text == "auto":
        return fitting_size(room)
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise _invalid("size", text)
    size = int(width), int(height)
    if not allows_size(model, size):
        raise _invalid("size", text)
    return size


def _quality(fields: Mapping[str, str], model: Model) -> str:
    quality = fields.get("quality", "auto")
    if quality == "auto":
        return "medium"
    if quality not in model.qualities:
        raise _invalid("quality", quality)
    return quality


def _number(fields: Mapping[str, str], name: str, least: int, most: int, *, default: int) -> int:
    text = fields.get(name, str(default))
    if not text.isdecimal() or not least <= int(text) <= most:
        raise _invalid(name, text)
    return int(text)


def _invalid(name: str, value: str) -> Refused:
    return Refused(f"Invalid value: '{value}'.", param=name, code="invalid_value")
