"""Drawing by weight, so that the same render always draws the same. Pure."""

from collections.abc import Sequence
from hashlib import blake2b
from math import log

from medici.domain.routing.settings import Weighted

RANGE = 1 << 64


def drawn(weighted: Sequence[Weighted], seed: bytes | None) -> list[str]:
    """Return the providers in the order in which they are drawn, each draw from those left.

    A provider comes first as often as its share of the weights says. Taking one away moves only the
    renders that would have drawn it. Without a seed the heaviest comes first.
    """
    if seed is None:
        return [each.provider for each in sorted(weighted, key=lambda each: -each.weight)]
    # The one whose exponential clock, as fast as its weight, rings first.
    rings = sorted(
        (-log(_between_zero_and_one(seed, each.provider)) / each.weight, each.provider)
        for each in weighted
    )
    return [provider for _, provider in rings]


def falls_within(percent: int, *names: str) -> bool:
    """Tell whether a named thing belongs to a share of all; it does or does not for good."""
    return _between_zero_and_one(b"", "\0".join(names)) * 100 < percent


def _between_zero_and_one(seed: bytes, name: str) -> float:
    digest = blake2b(seed + name.encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 1) / (RANGE + 1)
