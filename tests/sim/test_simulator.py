"""The product keeps its promises in every world that a seed can make."""

from pathlib import Path

import pytest

from tests.sim.resting import rest
from tests.sim.simulation import Failure, first_failure, play, script_of, shrunk
from tests.sim.world import World

FORMER = [
    int(line)
    for line in Path(__file__).with_name("seeds.txt").read_text().splitlines()
    if not line.startswith("#")
]


def told(failure: Failure | None) -> None:
    """Fail with the story of a seed, cut down to what it needs."""
    if failure is not None:
        pytest.fail(f"{shrunk(failure)}\nagain with: --sim-seed {failure.seed}", pytrace=False)


def world_after(seed: int) -> tuple[object, ...]:
    """Play a seed and return what can be seen of the world in the end."""
    world = World(seed)
    for name, draw in script_of(seed):
        world.play(name, draw)
    rest(world)
    ends = [order.state for order in world.store.orders.values()]
    return world.store.last_id, world.store.moment, ends, list(world.log)


class TestEveryWorld:
    @pytest.mark.timeout(0)  # a night has time for many seeds
    def test_keeps_all_promises_after_every_step(self, pytestconfig: pytest.Config) -> None:
        seed: int | None = pytestconfig.getoption("--sim-seed")
        count: int = pytestconfig.getoption("--sim-seeds")

        told(first_failure(range(count) if seed is None else [seed]))

    @pytest.mark.parametrize("seed", FORMER)
    def test_keeps_those_that_a_seed_once_broke(self, seed: int) -> None:
        told(play(seed, script_of(seed)))


class TestSeed:
    def test_plays_the_same_world_each_time(self) -> None:
        first, second = (world_after(seed=7) for _ in range(2))

        assert first == second

    def test_plays_another_world_than_its_neighbour(self) -> None:
        assert world_after(seed=7) != world_after(seed=8)
