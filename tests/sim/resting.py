"""How a world comes to rest: nobody dies any more, soon nobody lies, and all is worked off."""

from datetime import datetime, timedelta

from medici.domain.ledger.models import HoldStatus
from medici.jobs.models import State
from tests.sim.desk import Message
from tests.sim.rows import Violation
from tests.sim.world import World

ROUNDS = 400
ROUNDS_OF_TROUBLE = 25  # in which providers go on as before
RESTING = "the world comes to rest"


def rest(world: World) -> None:
    """Let everything work, and time pass, until nothing is left to do.

    Raises:
        Violation: it does not come to rest, or something was left open.
    """
    _calm(world)
    for turn in range(ROUNDS):
        if turn == ROUNDS_OF_TROUBLE:
            _heal(world)
        _work_off(world)
        if not _pass_to_the_next_moment(world):
            world.auditor.look_at_the_end()
            return
    raise Violation("the world does not come to rest")


def _heal(world: World) -> None:
    for vendor in world.vendors.values():
        vendor.heal()


def _calm(world: World) -> None:
    world.log.append(RESTING)
    for process in world.processes:
        process.frozen, process.skew = False, timedelta()
    for key, hold in world.desk.sales.items():
        world.mail.append(Message(kind="capture", key=key, wallet=hold.wallet))


def _work_off(world: World) -> None:
    """Do what can be done without waiting."""
    busy = True
    while busy:
        while world.mail:
            world.play("deliver", 0)
        for index, process in enumerate(world.processes):
            world.play("claim", index)
            while process.active:
                world.play("advance", index | len(world.log) << 8)
        for index, vendor in enumerate(world.vendors.values()):
            for _ in range(len(vendor.news)):
                world.play("news", index)
        busy = bool(world.queue.due())


def _pass_to_the_next_moment(world: World) -> bool:
    """Wait for whatever is due next; False where nothing is."""
    moments = [moment for moment in _moments(world) if moment is not None]
    if moments:
        seconds = (min(moments) - world.store.moment).total_seconds()
        world.pass_time(max(seconds, 1.0))
        world.play("sweep", 0)
    return bool(moments)


def _moments(world: World) -> list[datetime | None]:
    jobs = [
        row.lease_until if row.state is State.RUNNING else row.due_at
        for row in world.queue.unfinished
    ]
    holds = [
        hold.expires_at for hold in world.store.holds.values() if hold.status is HoldStatus.PENDING
    ]
    return [*jobs, *holds]
