"""The form in which Stripe takes parameters: nested names in brackets, URL-encoded."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias
from urllib.parse import urlencode

Field: TypeAlias = str | int | bool | Sequence["Field"] | Mapping[str, "Field"] | None
Fields: TypeAlias = Mapping[str, Field]


def encoded(fields: Fields) -> str:
    """Write parameters; a None is left out, an empty text clears what stood there."""
    return urlencode([pair for name, value in fields.items() for pair in _pairs(name, value)])


def _pairs(name: str, value: Field) -> Iterator[tuple[str, str]]:
    match value:
        case None:
            return
        case bool():
            yield name, "true" if value else "false"
        case str() | int():
            yield name, str(value)
        case Mapping():
            for key, inner in value.items():
                yield from _pairs(f"{name}[{key}]", inner)
        case _:
            for number, inner in enumerate(value):
                yield from _pairs(f"{name}[{number}]", inner)
