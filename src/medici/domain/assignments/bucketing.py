"""Hashing users to variants as ``hash_version`` 2 of the GrowthBook SDK specification does.

Whoever computes a bucket with an SDK of GrowthBook, on a phone and without asking, gets ours.
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import TypeAlias

Range: TypeAlias = tuple[float, float]  # from, up to but without

HASH_VERSION = 2
OFFSET_BASIS = 2166136261
BUCKETS = 10_000
SEEDS_KEPT = 4096


def fnv32a(text: str) -> int:
    """Return the FNV-1a hash of a text's UTF-16 code units, 32 bits wide."""
    return _on(OFFSET_BASIS, text)


def bucket(seed: str, unit: str) -> float:
    """Return the bucket of a unit, such as a user's id: one of 10,000 steps in [0, 1)."""
    first = _on(_hash_of_seed(seed), unit)
    return fnv32a(str(first)) % BUCKETS / BUCKETS


def ranges(weights: Sequence[float], coverage: float) -> tuple[Range, ...]:
    """Return which buckets each variant owns; ``coverage`` is the share of users who take part.

    A variant's range begins where the weights before it end, and grows with the coverage from
    there: nobody who takes part already is moved by others joining.
    """
    total = sum(weights)
    covered = min(max(coverage, 0.0), 1.0)
    shares = [weight / total for weight in weights]
    starts = [0.0, *accumulate(shares[:-1])]
    owned = [(start, start + covered * share) for start, share in zip(starts, shares, strict=True)]
    if covered == 1.0:
        owned[-1] = (owned[-1][0], 1.0)  # sums of fractions may fall short of it
    return tuple(owned)


def chosen(ranges: Sequence[Range], bucket: float) -> int | None:
    """Return the place of the variant that owns a bucket; None where nobody does."""
    for place, (start, end) in enumerate(ranges):
        if start <= bucket < end:
            return place
    return None


@lru_cache(maxsize=SEEDS_KEPT)
def _hash_of_seed(seed: str) -> int:
    """Return how far the hash has come once it has read a seed; the unit follows."""
    return fnv32a(seed)


def _on(hashed: int, text: str) -> int:
    for unit in text.encode("ascii") if text.isascii() else _utf16(text):
        # The prime and the mask of 32 bits, as literals: by name this is half as fast.
        hashed = (hashed ^ unit) * 16777619 & 0xFFFFFFFF
    return hashed


def _utf16(text: str) -> tuple[int, ...]:
    encoded = text.encode("utf-16-le", "surrogatepass")
    return struct.unpack(f"<{len(encoded) // 2}H", encoded)
