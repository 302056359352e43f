"""One seed, one script: play it, and where it fails cut it down to what the failure needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from tests.sim.bugs import Bug
from tests.sim.resting import RESTING, rest
from tests.sim.rows import Violation
from tests.sim.world import World

Step: TypeAlias = tuple[str, int]
STEPS = 500
SHOWN = 50
SHOWN_AT_REST = 10
SHRINKING_RUNS = 400
WEIGHTS = {  # how often of a hundred and thirteen
    "order": 2,
    "buy": 1,
    "sell": 1,
    "capture": 1,
    "cancel": 1,
    "gift": 1,
    "visit": 1,
    "subscribe": 1,
    "reset": 1,
    "deliver": 6,
    "duplicate": 1,
    "drop": 1,
    "news": 2,
    "claim": 16,
    "advance": 64,
    "crash": 1,
    "freeze": 1,
    "hand_back": 1,
    "wait": 9,
    "sweep": 1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What went wrong, and the last that had happened before."""

    seed: int
    bug: Bug | None
    reason: str
    script: tuple[Step, ...]
    log: tuple[str, ...]

    def __str__(self) -> str:
        head = f"seed {self.seed}: {self.reason}"
        count = f"{len(self.script)} steps, of which the last are:"
        return "\n".join([head, count, *_last_of(self.log)])


def _last_of(log: Sequence[str]) -> list[str]:
    """Choose what is worth telling: how it came about, and the very end if it came at rest."""
    if RESTING not in log:
        return list(log[-SHOWN:])
    at = log.index(RESTING)
    return [*log[:at][-SHOWN:], RESTING, "...", *log[at + 1 :][-SHOWN_AT_REST:]]


def script_of(seed: int) -> tuple[Step, ...]:
    """Return the steps of a seed. None of them depends on what the others do."""
    dice = Random(f"script {seed}")
    names = dice.choices(list(WEIGHTS), list(WEIGHTS.values()), k=STEPS)
    return tuple((name, dice.getrandbits(32)) for name in names)


def play(seed: int, script: Sequence[Step], bug: Bug | None = None) -> Failure | None:
    """Play a script to its end and let the world rest; tell how it failed."""
    world = World(seed, bug)
    played: list[Step] = []
    try:
        for name, draw in script:
            played.append((name, draw))
            world.play(name, draw)
        rest(world)
    except Violation as found:
        return Failure(
            seed=seed, bug=bug, reason=str(found), script=tuple(played), log=tuple(world.log)
        )
    finally:
        world.close()
    return None


def first_failure(seeds: Sequence[int], bug: Bug | None = None) -> Failure | None:
    for seed in seeds:
        if (failure := play(seed, script_of(seed), bug)) is not None:
            return failure
    return None


def shrunk(failure: Failure) -> Failure:
    """Cut steps out, ever smaller pieces of them, while the same thing goes wrong."""
    best, size, runs = failure, max(len(failure.script) // 2, 1), 0
    while size and runs < SHRINKING_RUNS:
        start = 0
        while start < len(best.script) and runs < SHRINKING_RUNS:
            runs += 1
            others = best.script[:start] + best.script[start + size :]
            again = play(failure.seed, others, failure.bug)
            if again is not None and again.reason == failure.reason:
                best = again
            else:
                start += size
        size //= 2
    return best
