"""Long lists come in pages; a cursor says where the next one begins."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeAlias, TypeVar

from fastapi import Query

from medici.kernel.errors import Kind, MediciError

Item = TypeVar("Item")
Place: TypeAlias = str | int | None  # one value of a sort key, as JSON can hold it

MAX_LIMIT = 200
MAX_CURSOR_LENGTH = 512

Limit = Annotated[
    int, Query(ge=1, le=MAX_LIMIT)
]  # write the default in the route: `limit: Limit = 50`
Cursor = Annotated[str | None, Query(max_length=MAX_CURSOR_LENGTH)]


class InvalidCursor(MediciError):
    kind = Kind.INVALID
    code = "invalid_cursor"

    def __init__(self) -> None:
        super().__init__("this cursor was not made by us")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """Some items, and the cursor that the rest begins after; None on the last page."""

    items: Sequence[Item]
    next_cursor: str | None


def encode_cursor(*places: Place) -> str:
    """Write down the sort key of a page's last item, opaque to clients."""
    return base64.urlsafe_b64encode(json.dumps(places).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: type) -> tuple[Place, ...]:
    """Read a cursor back, one value for each of ``kinds``.

    Raises:
        InvalidCursor: it holds anything else.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        places = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise InvalidCursor from error
    if not isinstance(places, list) or [type(place) for place in places] != list(kinds):
        raise InvalidCursor
    return tuple(places)
