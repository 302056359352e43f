"""The daily reset: everybody's old allowance ends and the new one is given, some users at a time.

A reset is a row that says how far it has come. Whoever goes on with it locks the row, gives the
next users their credits and moves the mark, in one transaction; so any number of processes may
help, and one that dies leaves nothing half done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing import queries
from medici.domain.billing.allowance import Window
from medici.domain.billing.resets import queries as resets_queries
from medici.domain.billing.resets.models import ResetRun, RunState
from medici.domain.billing.resets.queries import Standing
from medici.domain.billing.resets.rehearsals import Opening, expected, missing
from medici.domain.billing.resets.rules import SkippedReason, Tally, reason_to_skip
from medici.domain.billing.resets.work import RUN
from medici.domain.billing.service.allowances import give_on_book
from medici.domain.events import service as events
from medici.domain.events.facts import EventName, Fact
from medici.domain.identity.owner import OwnerKind
from medici.domain.ledger.errors import BooksDoNotBalance
from medici.domain.ledger.service import posting
from medici.domain.ledger.service.books import open_books
from medici.domain.ledger.service.wallets import park_wallet
from medici.jobs.queue import enqueue
from medici.kernel.clock import Clock
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.db.locks import lock_names
from medici.kernel.ids import new_id

BATCH = 512  # users of one transaction
LOCK = "credit_reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """What a tick found; ``run_id`` is the reset that it began."""

    skipped: SkippedReason | None = None
    run_id: UUID | None = None


async def begin(session: AsyncSession, *, actor: str, dry_run: bool, now: datetime) -> UUID:
    """Begin the reset of the present day, or return the one that is under way.

    A day that has had its reset can have another, which finds whom the first did not.
    """
    await lock_names(await driver_of(session), [LOCK])
    schedule = await queries.reset_schedule(session)
    window = schedule.window(now)
    if not dry_run:
        under_way = await resets_queries.run_under_way(session, window.schedule_date)
        if under_way is not None:
            return under_way.id
    return await _start(session, window, actor=actor, dry_run=dry_run, now=now)


async def tick(session: AsyncSession, *, actor: str, now: datetime) -> Ticked:
    """Begin a reset if the present day has had none. Days that were missed stay missed."""
    await lock_names(await driver_of(session), [LOCK])
    schedule = await queries.reset_schedule(session)
    window = schedule.window(now)
    skipped = reason_to_skip(schedule, window, await resets_queries.newest_date(session))
    if skipped is not None:
        return Ticked(skipped=skipped)
    return Ticked(run_id=await _start(session, window, actor=actor, dry_run=False, now=now))


async def hand_over(session: AsyncSession, run_id: UUID, *, now: datetime) -> None:
    """Have a reset gone on with in the background."""
    await enqueue(session, RUN, now=now, args={"run_id": run_id}, key=str(run_id))


async def hand_over_unfinished(session: AsyncSession, *, now: datetime) -> None:
    """Do the same with every reset that is under way, whoever left it."""
    for run_id in await resets_queries.unfinished_runs(session):
        await hand_over(session, run_id, now=now)


async def carry_on(
    transaction: Opening,
    run_id: UUID,
    *,
    clock: Clock,
    batches: int | None = None,
    size: int = BATCH,
) -> bool:
    """Go on with a reset to its end, or for some ``batches``; tell whether it has ended.

    Each batch is a transaction of its own. A wallet whose books do not balance is parked, so that
    it does not keep the others waiting.
    """
    begun = 0
    while batches is None or begun < batches:
        begun += 1
        try:
            async with transaction() as session:
                if not await advance(session, run_id, now=clock(), size=size):
                    return True
        except BooksDoNotBalance as found:
            async with transaction() as session:
                await park_wallet(session, wallet_id=found.wallet_id, now=clock())
    return False


async def advance(session: AsyncSession, run_id: UUID, *, now: datetime, size: int = BATCH) -> bool:
    """Take the next users of a reset; False where it has ended.

    Raises:
        BooksDoNotBalance: one of their wallets is broken; nothing was done.
    """
    run = await resets_queries.locked_run(session, run_id)
    if run.state is not RunState.RUNNING:
        return False
    if run.window_ends_at <= now:
        run.end(RunState.OVERTAKEN, now=now)
        return False
    owners = await resets_queries.owners_after(session, run.last_owner_id, limit=size)
    if owners:
        run.count(await _treat(await driver_of(session), run, owners, now=now))
        run.last_owner_id = owners[-1]
    if len(owners) == size:
        return True
    await _complete(session, run, now=now)
    return False


async def give_up(session: AsyncSession, run_id: UUID, *, now: datetime) -> None:
    """End a reset that fails again and again."""
    run = await resets_queries.locked_run(session, run_id)
    if run.state is RunState.RUNNING:
        run.end(RunState.FAILED, now=now)


async def _start(
    session: AsyncSession, window: Window, *, actor: str, dry_run: bool, now: datetime
) -> UUID:
    run = ResetRun(
        id=new_id(),
        schedule_date=window.schedule_date.isoformat(),
        window_starts_at=window.starts_at,
        window_ends_at=window.ends_at,
        dry_run=dry_run,
        state=RunState.RUNNING,
        actor=actor,
        started_at=now,
        last_owner_id="",
    )
    session.add(run)
    await session.flush()
    return run.id


async def _treat(
    driver: Driver, run: ResetRun, owner_ids: Sequence[str], *, now: datetime
) -> Tally:
    window = Window(
        schedule_date=date.fromisoformat(run.schedule_date),
        starts_at=run.window_starts_at,
        ends_at=run.window_ends_at,
    )
    found = await resets_queries.standings(driver, owner_ids, day=window.schedule_date, now=now)
    counted = expected(found, window)
    if run.dry_run or not counted.balances_updated:
        return counted
    given = await _give(driver, found, window, now=now)
    return Tally(
        users_processed=counted.users_processed,
        balances_updated=sum(amount > 0 for amount in given),
        credits_granted=sum(given),
        skipped_disabled=counted.skipped_disabled,
        skipped_parked=counted.skipped_parked,
    )


async def _give(
    driver: Driver, found: dict[str, Standing], window: Window, *, now: datetime
) -> list[int]:
    """Give users what is missing, by what their wallets say once they are locked."""
    owners = [owner_id for owner_id, standing in found.items() if missing(standing, window)]
    books = await open_books(driver, kind=OwnerKind.USER, owner_ids=owners, now=now)
    had = await queries.allowances_of_many(
        driver, wallet_ids=[book.wallet_id for book in books.values()], day=window.schedule_date
    )
    amounts = [
        give_on_book(book, had[book.wallet_id], found[owner_id].plan, window)
        for owner_id, book in books.items()
    ]
    await posting.write_grants(driver, list(books.values()))
    await posting.write_postings(driver, list(books.values()))
    return amounts


async def _complete(session: AsyncSession, run: ResetRun, *, now: datetime) -> None:
    run.end(RunState.COMPLETED, now=now)
    await session.flush()
    if run.dry_run:
        return
    fact = Fact(
        name=EventName.CREDITS_RESET,
        credits=run.credits_granted,
        properties={
            "run_id": str(run.id),
            "schedule_date": run.schedule_date,
            "users_processed": run.users_processed,
            "balances_updated": run.balances_updated,
        },
    )
    await events.record(session, fact, now=now)
