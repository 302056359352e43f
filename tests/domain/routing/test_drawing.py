"""Draws that are the same whenever they are made."""

from collections import Counter

import pytest

from medici.domain.routing.drawing import drawn, falls_within
from medici.domain.routing.settings import Weighted

MANY = 20_000


def weighted(**weights: int) -> tuple[Weighted, ...]:
    return tuple(Weighted(provider=name, weight=weight) for name, weight in weights.items())


def seeds() -> list[bytes]:
    return [number.to_bytes(16) for number in range(MANY)]


class TestDrawn:
    def test_stands_in_for_the_first_by_the_weights_of_the_others(self) -> None:
        second = Counter(
            order[1]
            for seed in seeds()
            if (order := drawn(weighted(fal=50, openai=40, local=10), seed))[0] == "fal"
        )

        assert second["openai"] / second.total() == pytest.approx(0.8, abs=0.02)

    def test_taking_one_away_moves_nobody_else(self) -> None:
        whole, rest = weighted(fal=50, openai=40, local=10), weighted(fal=50, openai=40)

        for seed in seeds()[:1000]:
            assert [name for name in drawn(whole, seed) if name != "local"] == drawn(rest, seed)

    def test_the_order_of_writing_does_not_matter(self) -> None:
        one, other = weighted(fal=50, openai=50), weighted(openai=50, fal=50)

        assert all(drawn(one, seed) == drawn(other, seed) for seed in seeds()[:1000])


class TestFallsWithin:
    @pytest.mark.parametrize("percent", [1, 10, 50, 99])
    def test_as_many_as_it_says(self, percent: int) -> None:
        within = sum(falls_within(percent, "7", f"user-{number}") for number in range(MANY))

        assert 100 * within / MANY == pytest.approx(percent, abs=1)

    def test_who_is_in_stays_in_as_the_share_grows(self) -> None:
        users = [f"user-{number}" for number in range(1000)]

        shares = [{u for u in users if falls_within(p, "7", u)} for p in (5, 20, 100)]

        assert shares[0] < shares[1] < shares[2] == set(users)
