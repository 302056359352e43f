"""Stores' messages that come to two processes at once: shuffled, repeated, and all of them to both.

``MEDICI_HISTORIES`` says how many random histories there are; ``MEDICI_ALL_ORDERS=1`` has every one
of the 720 orders of six messages taken one by one.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterable
from itertools import permutations
from pathlib import Path
from random import Random

import pytest

from medici.domain.ledger.audit import audit
from medici.kernel.db.database import Database
from tests.domain.billing.books import Books, books, open_shop, take
from tests.domain.billing.test_any_order import HISTORIES
from tests.faults.store_child import history_of

HOME = Path(__file__).parents[2]
MANY = int(os.environ.get("MEDICI_HISTORIES", "40"))
ALL_ORDERS = os.environ.get("MEDICI_ALL_ORDERS") == "1"
SIX = HISTORIES["refund, reversal and two stores"]
NAMES = ("one", "two")

# Three hundred histories or all orders take minutes, and more where other work is done beside them.
pytestmark = pytest.mark.timeout(30 * 60)


async def started(url: str, seed: int, name: str) -> Process:
    child = ("-m", "tests.faults.store_child", url, str(seed), name)
    return await asyncio.create_subprocess_exec(
        sys.executable, *child, cwd=HOME, stdin=PIPE, stdout=PIPE
    )


async def told(process: Process, number: int) -> None:
    """Have a process take one history, and wait until it has."""
    assert process.stdin is not None
    assert process.stdout is not None
    line = f"{number}\n".encode()
    process.stdin.write(line)
    assert await process.stdout.readline() == line, "it died; its last words are above"


async def race(url: str, seed: int) -> None:
    """Have two processes take each history together."""
    processes = [await started(url, seed, name) for name in NAMES]
    try:
        for number in range(MANY):
            await asyncio.gather(*(told(process, number) for process in processes))
    finally:
        for process in processes:
            process.kill()
            await process.wait()


async def expected_of(database: Database, seed: int, number: int) -> Books:
    """Return where a history leads that comes in its order; nothing of it stays."""
    async with database.transaction() as session:
        for news in history_of(seed, number):
            await take(session, news)
        found = await books(session)
        await session.rollback()
    return found


def together(parts: Iterable[Books]) -> Books:
    """Put the books of histories together that have nothing in common."""
    found = list(parts)
    return Books(
        purchases=sorted((row for each in found for row in each.purchases), key=repr),
        payments=sorted((row for each in found for row in each.payments), key=repr),
        refunds=sorted((row for each in found for row in each.refunds), key=repr),
        entitlements=sorted((row for each in found for row in each.entitlements), key=repr),
        credits=sorted((row for each in found for row in each.credits), key=repr),
    )


@pytest.fixture
async def shop(database: Database) -> Database:
    async with database.transaction() as session:
        await open_shop(session)
    return database


class TestTwoProcesses:
    async def test_come_to_what_one_that_hears_each_message_once_and_in_order_does(
        self, shop: Database, database_url: str, draw: Random
    ) -> None:
        seed = draw.randrange(1_000_000)
        expected = [await expected_of(shop, seed, number) for number in range(MANY)]

        await race(database_url, seed)

        async with shop.reading() as session:
            assert together([await books(session)]) == together(expected)
            assert await audit(session) == []


@pytest.mark.skipif(not ALL_ORDERS, reason="MEDICI_ALL_ORDERS=1 has each order taken")
class TestEveryOrder:
    async def test_of_six_messages_ends_in_the_same_books(self, shop: Database) -> None:
        found: list[Books] = []
        for order in permutations(SIX):
            async with shop.transaction() as session:
                for news in order:
                    await take(session, news)
                found.append(await books(session))
                await session.rollback()

        assert len(found) == 720
        assert all(each == found[0] for each in found)
        assert found[0].credits
