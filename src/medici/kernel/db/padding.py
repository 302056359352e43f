"""Lists in statements: few different lengths, hence few different statements to prepare."""

from collections.abc import Collection
from typing import TypeVar

Value = TypeVar("Value")


def padded(values: Collection[Value]) -> list[Value]:
    """Return the values for an ``IN`` list, the last repeated up to the next power of two."""
    given = list(values)
    if given:
        given += [given[-1]] * ((1 << (len(given) - 1).bit_length()) - len(given))
    return given
