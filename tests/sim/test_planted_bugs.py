"""Mistakes, each planted by itself: the simulator finds them all."""

from functools import cache

import pytest

from tests.sim.bugs import Bug
from tests.sim.simulation import Failure, first_failure, play, script_of, shrunk

SEEDS = range(2_000)


@cache
def found(bug: Bug) -> Failure:
    failure = first_failure(SEEDS, bug)
    assert failure is not None, f"nobody noticed that {bug}"
    return failure


class TestPlantedBug:
    @pytest.mark.parametrize("bug", Bug)
    def test_is_found_and_told_in_few_steps(self, bug: Bug) -> None:
        failure = found(bug)

        story = shrunk(failure)

        print(f"{bug}\n{story}")  # noqa: T201 - seen with -s
        assert story.reason == failure.reason
        assert len(story.script) < len(failure.script)
        assert play(failure.seed, story.script) is None  # without the mistake nothing is wrong

    @pytest.mark.parametrize("bug", Bug)
    def test_is_found_again_by_its_seed(self, bug: Bug) -> None:
        failure = found(bug)

        assert play(failure.seed, script_of(failure.seed), bug) == failure
