import asyncio
from collections.abc import Sequence

import pytest

from medici.kernel.db.errors import DatabaseUnavailable
from medici.kernel.db.group import Batcher, TooManyWaiting
from medici.kernel.errors import Kind, MediciError


class Refused(MediciError):
    kind = Kind.CONFLICT
    code = "refused"


class Abort(BaseException):
    """Something that is not meant to be caught."""


class Writer:
    """Doubles numbers, refuses 13, and fails as a whole where a batch holds a 7 or a 666."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = asyncio.Event()
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def write(self, numbers: Sequence[int]) -> Sequence[int | MediciError]:
        self.batches.append(list(numbers))
        self.begun.set()
        await self.goes_on.wait()
        if 7 in numbers:
            raise ZeroDivisionError
        if 666 in numbers:
            raise Abort
        return [Refused("13") if number == 13 else 2 * number for number in numbers]

    async def cancelled_once(self, numbers: Sequence[int]) -> Sequence[int | MediciError]:
        if not self.batches:
            self.batches.append(list(numbers))
            raise asyncio.CancelledError
        return await self.write(numbers)


class Away(Writer):
    """Cannot be reached a few times."""

    def __init__(self, *, times: int) -> None:
        super().__init__()
        self.times = times

    async def write(self, numbers: Sequence[int]) -> Sequence[int | MediciError]:
        answers = await super().write(numbers)
        if len(self.batches) <= self.times:
            raise DatabaseUnavailable
        return answers


class CancelledBetween(Writer):
    """Fails as a whole, and is cancelled when it tries 2 by itself."""

    async def write(self, numbers: Sequence[int]) -> Sequence[int | MediciError]:
        if list(numbers) == [2]:
            raise asyncio.CancelledError
        answers = await super().write(numbers)
        if len(numbers) > 1:
            raise ZeroDivisionError
        return answers


class TestBatcher:
    async def test_writes_a_lone_item_at_once(self) -> None:
        writer = Writer()
        batcher = Batcher(writer.write)

        assert await batcher.submit(1) == 2
        assert await batcher.submit(2) == 4
        assert writer.batches == [[1], [2]]

    async def test_lets_those_that_arrive_meanwhile_share_the_next_batch(self) -> None:
        writer = Writer()
        writer.goes_on.clear()
        batcher = Batcher(writer.write, most=2)
        first = asyncio.create_task(batcher.submit(0))
        await writer.begun.wait()
        others = [asyncio.create_task(batcher.submit(n)) for n in (1, 2, 3)]
        await asyncio.sleep(0)
        writer.goes_on.set()

        assert await asyncio.gather(first, *others) == [0, 2, 4, 6]
        assert writer.batches == [[0], [1, 2], [3]]

    async def test_refuses_one_without_its_neighbours(self) -> None:
        batcher = Batcher(Writer().write)

        answers = await asyncio.gather(
            *(batcher.submit(n) for n in (1, 13, 2)), return_exceptions=True
        )

        assert (answers[0], answers[2]) == (2, 4)
        assert isinstance(answers[1], Refused)

    async def test_tries_the_items_of_a_failed_batch_one_by_one(self) -> None:
        writer = Writer()
        batcher = Batcher(writer.write)

        answers = await asyncio.gather(
            *(batcher.submit(n) for n in (1, 7, 2)), return_exceptions=True
        )

        assert (answers[0], answers[2]) == (2, 4)
        assert isinstance(answers[1], ZeroDivisionError)
        assert writer.batches == [[1, 7, 2], [1], [7], [2]]

    async def test_hands_on_whatever_was_raised_and_goes_on(self) -> None:
        writer = Writer()
        batcher = Batcher(writer.write)

        with pytest.raises(Abort):
            await batcher.submit(666)
        answers = await asyncio.gather(
            *(batcher.submit(n) for n in (1, 666, 2)), return_exceptions=True
        )

        assert (answers[0], answers[2]) == (2, 4)
        assert isinstance(answers[1], Abort)
        assert await batcher.submit(3) == 6

    async def test_tries_again_after_an_outage_that_is_over(self) -> None:
        writer = Away(times=1)
        batcher = Batcher(writer.write)

        assert await asyncio.gather(*(batcher.submit(n) for n in (1, 2, 3))) == [2, 4, 6]
        assert writer.batches == [[1, 2, 3], [1], [2], [3]]

    async def test_tells_all_of_an_outage_that_goes_on(self) -> None:
        writer = Away(times=2)
        batcher = Batcher(writer.write)

        answers = await asyncio.gather(
            *(batcher.submit(n) for n in (1, 2, 3)), return_exceptions=True
        )

        assert [type(answer) for answer in answers] == [DatabaseUnavailable] * 3
        assert writer.batches == [[1, 2, 3], [1]]
        assert await batcher.submit(4) == 8

    async def test_leaves_nobody_waiting_where_it_is_cancelled_between_two_tries(self) -> None:
        writer = CancelledBetween()
        batcher = Batcher(writer.write)

        ended = await asyncio.gather(
            *(batcher.submit(n) for n in (1, 2, 3)), return_exceptions=True
        )

        assert [type(each) for each in ended] == [int, *[asyncio.CancelledError] * 2]
        assert await batcher.submit(4) == 8

    async def test_goes_on_after_a_batch_that_was_cancelled(self) -> None:
        writer = Writer()
        batcher = Batcher(writer.cancelled_once)

        ended = await asyncio.gather(*(batcher.submit(n) for n in (1, 2)), return_exceptions=True)

        assert [type(each) for each in ended] == [asyncio.CancelledError] * 2
        assert await batcher.submit(3) == 6

    async def test_forgets_the_item_of_a_caller_who_left(self) -> None:
        writer = Writer()
        writer.goes_on.clear()
        batcher = Batcher(writer.write)
        first = asyncio.create_task(batcher.submit(0))
        await writer.begun.wait()
        gone, stays = (asyncio.create_task(batcher.submit(n)) for n in (1, 2))
        await asyncio.sleep(0)
        gone.cancel()
        first.cancel()
        await asyncio.sleep(0)
        writer.goes_on.set()

        assert await stays == 4
        assert writer.batches == [[0], [2]]

    async def test_refuses_what_it_has_no_room_for(self) -> None:
        writer = Writer()
        writer.goes_on.clear()
        batcher = Batcher(writer.write, room=1)
        first = asyncio.create_task(batcher.submit(0))
        await writer.begun.wait()
        second = asyncio.create_task(batcher.submit(1))
        await asyncio.sleep(0)

        with pytest.raises(TooManyWaiting):
            await batcher.submit(2)

        writer.goes_on.set()
        assert (await first, await second) == (0, 2)
