"""What OpenAI's picture models take, as far as it differs between them."""

from dataclasses import dataclass
from typing import TypeAlias

Size: TypeAlias = tuple[int, int]
"""Width and height in pixels."""

SQUARE: Size = (1024, 1024)
FIXED_SIZES: tuple[Size, ...] = (SQUARE, (1536, 1024), (1024, 1536))


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """``any_size``: beside the three fixed sizes it takes others of its grid.

    ``input_fidelity`` is the strongest hold on the input that it can be asked for; None where
    the field is refused or has no choice.
    """

    any_size: bool = False
    input_fidelity: str | None = None


UNKNOWN = Model()  # asks for nothing that one of the models would refuse
FAMILIES: tuple[tuple[str, Model], ...] = (
    ("gpt-image-1.5", Model(input_fidelity="high")),
    ("gpt-image-2", Model(any_size=True)),  # with its dated and its later kinds
)


def model_named(name: str) -> Model:
    """Return what a model takes; of an unknown one, what every model takes."""
    return next((model for prefix, model in FAMILIES if name.startswith(prefix)), UNKNOWN)
