"""How far along a funnel a sequence of acts leads."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from medici.domain.analytics.funnels import Act, Funnel, Mode, follow, furthest

START = datetime(2026, 11, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def acts(names: str, *minutes: int) -> list[Act]:
    """Give acts named by letters, a minute apart unless told when."""
    at = minutes or range(len(names))
    return [Act(name, START + m * MINUTE) for name, m in zip(names, at, strict=True)]


def funnel(
    steps: str, mode: Mode = Mode.ORDERED, within: timedelta = DAY, until: timedelta = 30 * DAY
) -> Funnel:
    return Funnel(steps=list(steps), within=within, until=START + until, mode=mode)


def depth(
    steps: str,
    done: Sequence[Act],
    mode: Mode = Mode.ORDERED,
    within: timedelta = DAY,
    until: timedelta = 30 * DAY,
) -> int:
    return len(furthest(done, funnel(steps, mode, within, until)))


class TestOrdered:
    @pytest.mark.parametrize(
        ("done", "reached"),
        [("ABFCDE", 5), ("ABCE", 3), ("ABCEDE", 5), ("BCDE", 0), ("EDCBA", 1), ("AABBC", 3)],
    )
    def test_lets_other_acts_lie_between(self, done: str, reached: int) -> None:
        assert depth("ABCDE", acts(done)) == reached

    def test_reaches_a_third_step_of_another_name(self) -> None:
        assert depth("ABC", acts("ABC")) == 3

    def test_takes_a_step_that_comes_again(self) -> None:
        assert depth("ABA", acts("ABA")) == 3
        assert depth("ABA", acts("AB")) == 2
        assert depth("AA", acts("A")) == 1

    def test_counts_the_window_from_the_first_step_and_hard(self) -> None:
        assert depth("ABC", acts("ABC", 0, 40, 60), within=60 * MINUTE) == 3
        assert depth("ABC", acts("ABC", 0, 40, 61), within=60 * MINUTE) == 2

    def test_tries_every_first_step(self) -> None:
        assert depth("ABC", acts("ABABC", 0, 1, 100, 101, 102), within=10 * MINUTE) == 3
        assert depth("ABC", acts("ABAC", 0, 5, 8, 10), within=10 * MINUTE) == 3

    def test_takes_acts_of_one_moment_as_if_in_order(self) -> None:
        assert depth("ABC", acts("CBA", 0, 0, 0)) == 3
        assert depth("ABA", acts("AAB", 0, 0, 0)) == 3
        assert depth("ABA", acts("AB", 0, 0)) == 2

    def test_begins_within_the_range_only(self) -> None:
        assert depth("AB", acts("AB", 0, 20), until=10 * MINUTE) == 2
        assert depth("AB", acts("AB", 10, 20), until=10 * MINUTE) == 0

    def test_of_sixteen_steps_is_quick(self) -> None:
        steps = "ABCDEFGHIJKLMNOP"
        many = acts(steps * 2_000)
        began_at = time.perf_counter()

        assert depth(steps, many) == 16
        assert time.perf_counter() - began_at < 5


class TestStrict:
    @pytest.mark.parametrize(
        ("done", "reached"), [("ABC", 3), ("AXBC", 1), ("ABXC", 2), ("AXABC", 3), ("XX", 0)]
    )
    def test_lets_nothing_lie_between(self, done: str, reached: int) -> None:
        assert depth("ABC", acts(done), Mode.STRICT) == reached


class TestAny:
    @pytest.mark.parametrize(
        ("done", "reached"), [("CAB", 3), ("CXB", 2), ("AAA", 1), ("", 0), ("BB", 1)]
    )
    def test_takes_steps_in_any_order(self, done: str, reached: int) -> None:
        assert depth("ABC", acts(done), Mode.ANY) == reached

    def test_keeps_to_the_window(self) -> None:
        assert depth("ABC", acts("CAB", 0, 30, 70), Mode.ANY, within=60 * MINUTE) == 2
        assert depth("ABC", acts("CABC", 0, 30, 70, 80), Mode.ANY, within=60 * MINUTE) == 3

    def test_takes_a_step_twice_only_where_it_is_asked_for_twice(self) -> None:
        assert depth("AAB", acts("ABA"), Mode.ANY) == 3
        assert depth("AAB", acts("AB"), Mode.ANY) == 2

    def test_begins_within_the_range_only(self) -> None:
        assert depth("AB", acts("BA", 10, 20), Mode.ANY, until=10 * MINUTE) == 0


class TestFollow:
    def test_counts_actors_with_rates_and_medians(self) -> None:
        people = [acts("ABC", 0, 2, 10), acts("AB", 0, 4), acts("A", 0), acts("B", 0)]

        first, second, third = follow(people, funnel("ABC"))

        assert [first.actors, second.actors, third.actors] == [3, 2, 1]
        assert (second.overall.percent, second.step.percent) == (66.67, 66.67)
        assert (third.overall.percent, third.step.percent, third.dropped) == (33.33, 50.0, 1)
        assert (first.median_seconds, second.median_seconds, third.median_seconds) == (
            None,
            180.0,
            480.0,
        )

    def test_of_nobody_has_no_rates(self) -> None:
        first, second = follow([], funnel("AB"))

        assert (first.actors, first.overall.percent, second.step.interval) == (0, None, None)
