"""Ten mistakes, each planted by itself: the simulator finds them all."""

import pytest

from tests.sim.bugs import Bug
from tests.sim.simulation import first_failure, play, script_of, shrunk

SEEDS = range(2_000)


class TestPlantedBug:
    @pytest.mark.parametrize("bug", Bug)
    def test_is_found_and_told_in_few_steps(self, bug: Bug) -> None:
        found = first_failure(SEEDS, bug)

        assert found is not None, f"nobody noticed that {bug}"
        story = shrunk(found)
        print(f"{bug}\n{story}")  # noqa: T201 - seen with -s
        assert story.reason == found.reason
        assert len(story.script) < len(found.script)
        assert play(found.seed, story.script) is None  # without the mistake nothing is wrong

    @pytest.mark.parametrize("bug", Bug)
    def test_is_found_again_by_its_seed(self, bug: Bug) -> None:
        found = first_failure(SEEDS, bug)

        assert found is not None
        again = play(found.seed, script_of(found.seed), bug)
        assert again == found
