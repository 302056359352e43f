"""Doing background work in a process of its own."""

from medici.jobs.kinds import Queue
from medici.kernel.errors import Kind, MediciError
from medici.settings import Settings
from medici.worker import run_worker


class UnknownQueue(MediciError):
    """Nothing is ever put into a queue of that name."""

    kind = Kind.INVALID
    code = "unknown_queue"


async def worker(queues: str) -> None:
    """Drain the queues that are named, until SIGTERM.

    Raises:
        UnknownQueue: one of them is none.
    """
    await run_worker(Settings(), queues=queues_of(queues))


def queues_of(text: str) -> tuple[Queue, ...]:
    """Read names of queues that are separated by commas.

    Raises:
        UnknownQueue: there is no such queue.
    """
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in set(Queue):
            raise UnknownQueue(f"there is no queue {name!r}, only {', '.join(Queue)}")
    return tuple(dict.fromkeys(map(Queue, names)))
