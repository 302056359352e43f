"""What stands in JSON from outside, read the same way wherever it comes in."""

import math
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, JsonValue


def storable(text: str) -> str:
    """Refuse what JSON can say and no database keeps: NUL, and half a surrogate pair."""
    if "\x00" in text:
        raise ValueError("NUL cannot be stored")
    text.encode()
    return text


def storable_object(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Refuse the same anywhere in an object, and numbers that are none: Python's reader makes some.

    Objects may nest as deep as they could be read.
    """
    open_parts: list[JsonValue] = [value]
    while open_parts:
        part = open_parts.pop()
        if isinstance(part, dict):
            open_parts += [*part, *part.values()]
        elif isinstance(part, list):
            open_parts += part
        elif isinstance(part, str):
            storable(part)
        elif isinstance(part, float) and not math.isfinite(part):
            raise ValueError("a number has an end")
    return value


def _in_utc(value: object) -> object:
    """Read a time without a zone as UTC, as senders have always meant it."""
    if isinstance(value, str) and value:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return value


def _nameable(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("this moment has no date in UTC") from error


Metadata = Annotated[dict[str, JsonValue], AfterValidator(storable_object)]
Moment = Annotated[AwareDatetime, BeforeValidator(_in_utc), AfterValidator(_nameable)]
