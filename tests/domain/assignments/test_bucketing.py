"""Buckets: the public check values, fair shares, and nobody moved by growth."""

from collections import Counter
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medici.domain.assignments.bucketing import Range, bucket, chosen, fnv32a, ranges

HALVES: tuple[Range, ...] = ((0, 0.5), (0.5, 1))
HALF_OF_HALVES: tuple[Range, ...] = ((0, 0.25), (0.5, 0.75))
COUNT = 100_000
weights = st.lists(st.integers(0, 100), min_size=1, max_size=6).filter(any)
coverages = st.integers(0, 100).map(lambda percent: percent / 100)


class TestFnv32a:
    @pytest.mark.parametrize(
        ("text", "hashed"), [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968)]
    )
    def test_is_the_public_hash(self, text: str, hashed: int) -> None:
        assert fnv32a(text) == hashed

    def test_reads_code_units_of_utf_16(self) -> None:
        pair = (0xD83D, 0xDE00)  # what a script sees of one grinning face
        expected = 0x811C9DC5
        for unit in (ord("é"), *pair):
            expected = (expected ^ unit) * 16777619 % 2**32

        assert fnv32a("é😀") == expected
        assert fnv32a("é\ud83d\ude00") == expected


class TestBucket:
    @pytest.mark.parametrize(
        ("seed", "unit", "expected"),
        [
            ("seed", "a", 0.0505),
            ("seed", "b", 0.2696),
            ("foo", "ab", 0.2575),
            ("foo", "def", 0.2019),
            ("89123klj", "8952klfjas09ujkasdf", 0.124),
            ("90850943850283058242805", "123", 0.7516),
            ("()**(%$##$%#$#", '___)((*":&', 0.0128),
        ],
    )
    def test_is_that_of_the_specification(self, seed: str, unit: str, expected: float) -> None:
        assert bucket(seed, unit) == expected

    @pytest.mark.parametrize("kind", ["number", "named", "uuid"])
    def test_gives_100000_users_fair_shares(self, kind: str) -> None:
        shares = (0.5, 0.3, 0.2)
        owned = ranges(shares, 1.0)

        counts = Counter(chosen(owned, bucket("paywall", _user(kind, n))) for n in range(COUNT))

        for place, share in enumerate(shares):
            error = (share * (1 - share) / COUNT) ** 0.5
            assert abs(counts[place] / COUNT - share) < 4 * error, (kind, place)

    def test_of_the_ladder_says_nothing_about_that_of_the_variant(self) -> None:
        both = Counter(
            (bucket("paywall", user) < 0.5, bucket("paywall:rollout", user) < 0.1)
            for user in (_user("uuid", n) for n in range(COUNT))
        )

        error = (0.25 / (COUNT * 0.1)) ** 0.5
        below = both[True, True] + both[False, True]
        assert abs(both[True, True] / below - 0.5) < 4 * error


class TestRanges:
    @pytest.mark.parametrize(
        ("given_weights", "coverage", "expected"),
        [
            pytest.param([1, 1], 1, HALVES, id="halves"),
            pytest.param([1, 1], 0.5, HALF_OF_HALVES, id="half-of-halves"),
            pytest.param([1, 1], 0, ((0, 0), (0.5, 0.5)), id="nobody"),
            pytest.param(
                [1] * 4, 1, ((0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1)), id="quarters"
            ),
            pytest.param([0.4, 0.6], 1, ((0, 0.4), (0.4, 1)), id="uneven"),
            pytest.param([0.2, 0.3, 0.5], 1, ((0, 0.2), (0.2, 0.5), (0.5, 1)), id="three"),
            pytest.param(
                [0.2, 0.3, 0.5], 0.2, ((0, 0.04), (0.2, 0.26), (0.5, 0.6)), id="some-of-three"
            ),
            pytest.param([1, 1], -0.2, ((0, 0), (0.5, 0.5)), id="less-than-nobody"),
            pytest.param([1, 1], 1.5, HALVES, id="more-than-everybody"),
        ],
    )
    def test_are_those_of_the_specification(
        self, given_weights: list[float], coverage: float, expected: tuple[Range, ...]
    ) -> None:
        owned = ranges(given_weights, coverage)

        assert [pytest.approx(each) for each in owned] == list(expected)

    def test_take_weights_by_their_share_of_all(self) -> None:
        assert ranges([30, 10], 1) == ((0, 0.75), (0.75, 1))

    @given(weights)
    def test_leave_no_gap_when_everybody_takes_part(self, given_weights: list[int]) -> None:
        owned = ranges(given_weights, 1)

        assert (owned[0][0], owned[-1][1]) == (0, 1)
        assert all(before[1] == after[0] for before, after in pairwise(owned))

    @given(weights, coverages, coverages, st.integers(0, 9_999))
    def test_move_nobody_as_they_grow(
        self, given_weights: list[int], one: float, other: float, step: int
    ) -> None:
        smaller, larger = sorted([one, other])

        before = chosen(ranges(given_weights, smaller), step / 10_000)

        assert before is None or chosen(ranges(given_weights, larger), step / 10_000) == before


class TestChosen:
    @pytest.mark.parametrize(
        ("drawn", "owned", "place"),
        [
            (0.2, HALVES, 0),
            (0.4, HALVES, 0),
            (0.6, HALVES, 1),
            (0.8, HALVES, 1),
            (0, HALVES, 0),
            (0.5, HALVES, 1),
            (0.2, HALF_OF_HALVES, 0),
            (0.4, HALF_OF_HALVES, None),
            (0.6, HALF_OF_HALVES, 1),
            (0.8, HALF_OF_HALVES, None),
            (0.25, HALF_OF_HALVES, None),
            (0.5, HALF_OF_HALVES, 1),
            (0.5, ((0, 0.5), (0.5, 0.5), (0.5, 1)), 2),
        ],
    )
    def test_is_that_of_the_specification(
        self, drawn: float, owned: tuple[Range, ...], place: int | None
    ) -> None:
        assert chosen(owned, drawn) == place


def _user(kind: str, number: int) -> str:
    if kind == "uuid":
        return str(UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128))
    return str(number) if kind == "number" else f"u_{number}"
