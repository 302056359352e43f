"""A process that takes what stores tell. Its arguments: a database, a seed and its own name.

Each line that it reads is the number of a history; the same line is its answer, once it has taken
every message of it.
"""

import asyncio
import sys
from collections.abc import Sequence
from random import Random

from medici.adapters.payments.news import StoreNews
from tests.domain.billing.books import take_all
from tests.domain.billing.histories import random_history
from tests.support.databases import opened


def history_of(seed: int, number: int) -> list[StoreNews]:
    """Return the messages of one history; no two have a user or a purchase in common."""
    return random_history(Random(f"{seed}:{number}"), world=f"h{number}.")


def as_they_come(seed: int, number: int, name: str) -> Sequence[StoreNews]:
    """Return the same messages shuffled, half of them twice.

    Every other history comes to all processes in the same order, so that they collide in each
    message.
    """
    history = history_of(seed, number)
    random = Random(f"{seed}:{number}:{name if number % 2 else 'all'}")
    coming = history + random.sample(history, k=len(history) // 2)
    random.shuffle(coming)
    return coming


async def work(url: str, seed: int, name: str) -> None:
    async with opened(url) as database:
        while line := await asyncio.to_thread(sys.stdin.readline):
            await take_all(database, as_they_come(seed, int(line), name))
            print(line, end="", flush=True)  # noqa: T201 - the parent waits for it


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
