"""Transactions that the runs of a worker share, where the same step of many comes together."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

from medici.jobs.bulk import Held, finish_simply, held_simply
from medici.jobs.claims import Claim
from medici.kernel.db.database import Database
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.db.group import Batcher
from medici.kernel.errors import Kind, MediciError

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Step: TypeAlias = Callable[
    [Driver, Sequence[Item]], Coroutine[Any, Any, Sequence[Answer | MediciError]]
]
"""Does the same for many items, and answers each by a result or by an error of its own."""


class NotSimple(MediciError):
    """The run's job has a turn of its own to take, or is lost; it does the step by itself."""

    kind = Kind.CONFLICT
    code = "not_simple"


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Item]):
    claim: Claim
    item: Item

    @property
    def held(self) -> Held:
        return self.claim.id, self.claim.fence


class Sharing:
    """Brings together the runs of one worker that take the same step."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batchers: dict[tuple[object, bool], Batcher[Any, Any]] = {}
        self._lookers: dict[object, Batcher[Any, Any]] = {}

    async def take(
        self, step: Step[Item, Answer], claim: Claim, item: Item, *, finish: bool
    ) -> Answer:
        """Take a step for a run that holds its job; ``finish`` marks the job done with it.

        Raises:
            NotSimple: nothing was done, and the run has to take the step by itself.
            MediciError: the step's answer to this item.
        """
        batcher = self._batchers.get((step, finish))
        if batcher is None:
            together = partial(self._together, step, finish)
            batcher = self._batchers[step, finish] = Batcher(together)
        answer: Answer = await batcher.submit(_Entry(claim, item))
        return answer

    async def look(self, step: Step[Item, Answer], item: Item) -> Answer:
        """Take a step that only reads."""
        batcher = self._lookers.get(step)
        if batcher is None:
            batcher = self._lookers[step] = Batcher(partial(self._looked, step))
        answer: Answer = await batcher.submit(item)
        return answer

    async def _looked(
        self, step: Step[Item, Answer], items: Sequence[Item]
    ) -> Sequence[Answer | MediciError]:
        return await self._database.look(lambda driver: step(driver, items))

    async def _together(
        self, step: Step[Item, Answer], finish: bool, entries: Sequence[_Entry[Item]]
    ) -> Sequence[Answer | MediciError]:
        return await self._database.carry_out(
            lambda driver: _taken(driver, step, entries, finish=finish)
        )


async def _taken(
    driver: Driver, step: Step[Item, Answer], entries: Sequence[_Entry[Item]], *, finish: bool
) -> list[Answer | MediciError]:
    """Lock the jobs of the runs, take the step for those that hold theirs, and finish these."""
    held = await held_simply(driver, [entry.claim for entry in entries])
    ours = [entry for entry in entries if entry.held in held]
    answers = await step(driver, [entry.item for entry in ours])
    by_hold = dict(zip((entry.held for entry in ours), answers, strict=True))
    if finish:
        done = [job for (job, _), each in by_hold.items() if not isinstance(each, MediciError)]
        await finish_simply(driver, done)
    return [by_hold.get(entry.held, NotSimple()) for entry in entries]
