"""Group commit: what arrives while a transaction is being written shares the next one."""

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from medici.kernel.db.errors import DatabaseUnavailable
from medici.kernel.errors import MediciError, Unavailable

Item = TypeVar("Item")
Answer = TypeVar("Answer")
CROWD = 8  # items in a batch
CROWD_SECONDS = 0.1  # for which the largest batch is remembered
ENOUGH = 0.9  # the share of a crowd that is not waited for any longer
LINGER_SECONDS = 0.001
LINGER_TURNS = 10
CarryOut: TypeAlias = Callable[[Sequence[Item]], Awaitable[Sequence[Answer | MediciError]]]


class TooManyWaiting(Unavailable):
    """More is waiting to be written than this process can write soon."""

    code = "too_many_waiting"

    def __init__(self) -> None:
        super().__init__("too many requests are waiting to be written; try again shortly")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Item, Answer]):
    item: Item
    answer: "asyncio.Future[Answer]"


class Batcher(Generic[Item, Answer]):
    """Carries out what its callers hand in, in the order of arrival and many at once.

    A lone item is a batch of one and waits for nobody. Only in a crowd the first to come wait a
    moment for the others, since those whom a large batch has just answered come back together, and
    a batch of one costs as much as one of many. ``carry_out`` answers each item of a
    batch, by a result or by an error that is this item's alone. Where it raises, the batch had no
    effect, and its items are tried one by one, as long as there is a database. There is nothing to
    start or to stop: the batcher works as long as somebody waits for an answer.
    """

    def __init__(
        self, carry_out: CarryOut[Item, Answer], *, most: int = 128, room: int = 2048
    ) -> None:
        self._carry_out = carry_out
        self._most = most
        self._room = room
        self._waiting: deque[_Waiting[Item, Answer]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._crowd = 0
        self._crowd_at = 0.0

    async def submit(self, item: Item) -> Answer:
        """Return the answer to one item.

        A caller who is cancelled takes back an item that nobody has begun; one that has been begun
        is carried out all the same.

        Raises:
            TooManyWaiting: there is no room for it.
        """
        if len(self._waiting) >= self._room:
            raise TooManyWaiting
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(item, answer))
        if self._worker is None:
            # In a context of its own, because a batch is not part of anybody's request.
            self._worker = asyncio.create_task(self._work(), context=contextvars.Context())
        return await answer

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._gathered()
                if batch := self._next():
                    await self._answer(batch)
                    self._remember(len(batch))
        finally:
            self._worker = None
            while self._waiting:  # only where the process stops in the middle
                self._waiting.popleft().answer.cancel()

    async def _gathered(self) -> None:
        """Wait as long as more of those keep coming who came together a moment ago."""
        now = asyncio.get_running_loop().time()
        if self._crowd < CROWD or now - self._crowd_at > CROWD_SECONDS:
            return
        before = 0
        for _ in range(LINGER_TURNS):
            if before < len(self._waiting) < self._crowd * ENOUGH:
                before = len(self._waiting)
                await asyncio.sleep(LINGER_SECONDS)

    def _remember(self, size: int) -> None:
        """Note how large crowds are at the moment; a smaller one counts once that is long ago."""
        now = asyncio.get_running_loop().time()
        if size >= self._crowd or now - self._crowd_at > CROWD_SECONDS:
            self._crowd, self._crowd_at = size, now

    def _next(self) -> list[_Waiting[Item, Answer]]:
        batch: list[_Waiting[Item, Answer]] = []
        while self._waiting and len(batch) < self._most:
            waiting = self._waiting.popleft()
            if not waiting.answer.done():
                batch.append(waiting)
        return batch

    async def _answer(self, batch: list[_Waiting[Item, Answer]]) -> None:
        try:
            answers = await self._carry_out([waiting.item for waiting in batch])
        except asyncio.CancelledError:
            for waiting in batch:
                waiting.answer.cancel()
            raise
        except BaseException as error:  # whatever it is, it is for the one whose item caused it
            if len(batch) == 1:
                _settle(batch[0].answer, error)
            else:
                await self._answer_apart(deque(batch))
            return
        for waiting, answer in zip(batch, answers, strict=True):
            _settle(waiting.answer, answer)

    async def _answer_apart(self, left: "deque[_Waiting[Item, Answer]]") -> None:
        """Try items one by one; an outage that goes on is everybody's."""
        try:
            while left:
                tried = left.popleft()
                await self._answer([tried])
                if _met_outage(tried.answer):
                    for waiting in left:
                        _settle(waiting.answer, DatabaseUnavailable())
                    return
        finally:
            for waiting in left:
                waiting.answer.cancel()


def _met_outage(answer: "asyncio.Future[Answer]") -> bool:
    return not answer.cancelled() and isinstance(answer.exception(), DatabaseUnavailable)


def _settle(waiting: "asyncio.Future[Answer]", answer: Answer | BaseException) -> None:
    if waiting.done():
        return
    if isinstance(answer, BaseException):
        waiting.set_exception(answer)
    else:
        waiting.set_result(answer)
