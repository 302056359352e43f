"""What a provider is asked for."""

from dataclasses import dataclass
from enum import StrEnum


class Operation(StrEnum):
    RESTYLE = "restyle"
    REPLACE = "replace"
    REMOVE = "remove"
    REPAINT = "repaint"


class Tier(StrEnum):
    PREVIEW = "preview"
    FINAL = "final"


class Part(StrEnum):
    FULL_ROOM = "full_room"
    WALLS = "walls"
    FLOOR = "floor"
    FURNITURE = "furniture"
    DECOR = "decor"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputImage:
    """A picture that the customer brought, clean of metadata.

    ``url`` is an address where a provider may fetch it, when there is one.
    """

    data: bytes
    content_type: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderRequest:
    """One picture, wanted from one model.

    ``reference`` is our attempt id: the provider's idempotency key where it takes one.
    ``prompt`` says everything in words for a model that reads them: style, work, parts and the
    customer's ``wishes``, which stand alone for an engine with styles of its own. ``max_pixels``
    bounds the output, counted as width times height. ``webhook_url`` is where the provider may tell
    that it is done; None where it cannot reach us.
    """

    reference: str
    operation: Operation
    tier: Tier
    model: str
    image: InputImage
    mask: InputImage | None = None
    style_id: str
    prompt: str
    wishes: tuple[str, ...] = ()
    target_parts: tuple[Part, ...] = (Part.FULL_ROOM,)
    max_pixels: int = 1_200_000
    seed: int = 0
    webhook_url: str | None = None
