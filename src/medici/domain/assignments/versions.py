"""Versions of apps, in the order that semantic versioning gives them."""

import re
from typing import TypeAlias

Identifier: TypeAlias = tuple[int, int, str]
Version: TypeAlias = tuple[tuple[int, ...], bool, tuple[Identifier, ...]]

LONGEST = 64
# Such as 2.5, v2.5.1, 2.5.1-beta.2 and 2.5.1+345; what follows a plus does not count.
VERSION = re.compile(r"v?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?", re.ASCII)


def version(text: str) -> Version | None:
    """Return what versions are ordered by; None where a text is none."""
    found = VERSION.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if found is None:
        return None
    numbers = [int(number) for number in found[1].split(".")]
    while numbers and numbers[-1] == 0:  # 2.4 is 2.4.0
        numbers.pop()
    early = found[2]
    identifiers = tuple(map(_identifier, early.split("."))) if early else ()
    return tuple(numbers), early is None, identifiers


def _identifier(text: str) -> Identifier:
    return (0, int(text), "") if text.isdigit() else (1, 0, text)
