"""Latencies in bins of a fixed scale, so that counts of different hours add up.

Up to 63 ms each millisecond has a bin of its own. Above, every doubling is divided into 32 equal
bins, so no bin is wider than 1/32 of what is in it. The same whole-number arithmetic is done here
and in SQL.
"""

from collections.abc import Mapping, Sequence
from math import ceil

EXACT_BITS = 6  # below 2 ** 6 ms a bin is one millisecond
PARTS = 32  # of each doubling
MOST_BITS = 27  # 2 ** 27 ms are 37 hours
MOST_MS = (1 << MOST_BITS) - 1


def bin_of(latency_ms: int) -> int:
    """Return the bin that a latency belongs to; what is longer than 37 hours counts as that."""
    capped = min(max(latency_ms, 0), MOST_MS)
    doublings = capped.bit_length() - EXACT_BITS
    if doublings <= 0:
        return capped
    return doublings * PARTS + (capped >> doublings)


def middle_of(place: int) -> int:
    """Return the latency in the middle of a bin, in milliseconds."""
    doublings = place // PARTS - 1
    if doublings <= 0:
        return place
    lowest = (place - doublings * PARTS) << doublings
    return lowest + (1 << doublings) // 2


def bin_sql(column: str) -> str:
    """Write ``bin_of`` as an SQL expression over a column of whole milliseconds."""
    steps = [f"WHEN {column} < {1 << EXACT_BITS} THEN {column}"]
    for doublings in range(1, MOST_BITS - EXACT_BITS + 1):
        below, width = 1 << (EXACT_BITS + doublings), 1 << doublings
        steps.append(f"WHEN {column} < {below} THEN {doublings * PARTS} + {column} / {width}")
    return f"CASE WHEN {column} < 0 THEN 0 {' '.join(steps)} ELSE {bin_of(MOST_MS)} END"


def quantile_of_bins(counts: Mapping[int, int], share: float) -> int | None:
    """Return what ``share`` of all did not exceed, give or take 1/64; None of nothing."""
    total = sum(counts.values())
    if not total:
        return None
    wanted, seen = rank(share, total), 0
    for place in sorted(counts):
        seen += counts[place]
        if seen >= wanted:
            return middle_of(place)
    raise AssertionError("the counts add up to their sum")


def quantile(ordered: Sequence[int], share: float) -> int | None:
    """Return the smallest of the ordered values that ``share`` of all do not exceed."""
    return ordered[rank(share, len(ordered)) - 1] if ordered else None


def rank(share: float, count: int) -> int:
    return max(1, ceil(round(share * count, 9)))
