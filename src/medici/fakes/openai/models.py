"""The models that live, and what each of them takes."""

from dataclasses import dataclass
from typing import TypeAlias

Size: TypeAlias = tuple[int, int]

DEFAULT_MODEL = "gpt-image-1.5"
DEAD = frozenset({"dall-e-2", "dall-e-3", "gpt-image-1"})
FIXED: tuple[Size, ...] = ((1024, 1024), (1536, 1024), (1024, 1536))
BASIC = frozenset({"low", "medium", "high"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """``fidelities`` are the values of ``input_fidelity``; with none the field is refused."""

    qualities: frozenset[str] = BASIC
    fidelities: frozenset[str] = frozenset()
    any_size: bool = False
    markup: bool = False


FINER = Model(qualities=BASIC | {"xhigh", "max"}, any_size=True, markup=True)
PLAIN = Model(any_size=True)
LIVE = {
    "gpt-image-1-mini": Model(fidelities=frozenset({"low"})),
    "gpt-image-1.5": Model(fidelities=frozenset({"low", "high"})),
    "chatgpt-image-latest": Model(),
    "gpt-image-2": PLAIN,
    "gpt-image-2-2026-04-21": PLAIN,
    "gpt-image-2.5-sunburst": FINER,
    "gpt-image-2.5-sunburst-2026-09-08": FINER,
    "gpt-image-2.5-flare": FINER,
    "gpt-image-2.5-flare-2026-09-08": FINER,
    "gpt-image-2.6-sunburst": FINER,
    "gpt-image-2.6-flare": FINER,
}


def allows_size(model: Model, size: Size) -> bool:
    """Tell whether the model paints at this size."""
    width, height = size
    if size in FIXED:
        return True
    on_grid = width % 16 == 0 and height % 16 == 0 and min(size) > 0
    return (
        model.any_size
        and on_grid
        and max(size) <= 3840
        and max(size) <= 3 * min(size)
        and 655_360 <= width * height <= 3840 * 2160
    )


def fitting_size(room: Size) -> Size:
    """Resolve ``auto``: the fixed size whose shape is nearest."""
    shape = room[0] / room[1]
    return min(FIXED, key=lambda size: abs(size[0] / size[1] - shape))
