"""What billing does by itself: end what has ended, ask stores, tell them what was given."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.errors import PurchaseUnknown, StoreUnavailable
from medici.adapters.payments.news import Source, StoreNews
from medici.adapters.payments.store import Store
from medici.domain.billing.errors import PurchaseNotShown
from medici.domain.billing.lineages import Lineage
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.service import reconciling, rederiving, sweep
from medici.domain.billing.service.store_news import enqueue_fetch, take_news
from medici.domain.billing.service.use import use_of
from medici.domain.billing.work import (
    ACKNOWLEDGE,
    EXPIRE_TRIALS,
    FETCH_PURCHASE,
    RECONCILE,
    REDERIVE_PLAN,
    REPORT_USE,
)
from medici.domain.inbox import service as inbox
from medici.domain.inbox.models import MessageStatus
from medici.jobs.handlers import handles
from medici.jobs.run import Run
from medici.jobs.schedules import Daily, Schedule
from medici.kernel.environment import Environment
from medici.resources import Resources

EXPIRE_SCHEDULE = Schedule(kind=EXPIRE_TRIALS, every=timedelta(minutes=5))
RECONCILE_SCHEDULE = Schedule(kind=RECONCILE, every=Daily(hour=4, minute=10))
UNKNOWN_TIMES = 3  # that a store may not know a purchase before it counts as over

log = structlog.get_logger("medici.billing")
Step = Callable[[AsyncSession, UUID | None], Awaitable[UUID | None]]


@handles(EXPIRE_TRIALS)
async def expire_trials(run: Run[Resources]) -> None:
    """Bring up to date what the clock has ended, tell of trials that end soon, collect debts."""
    policy = StorePolicy.of(run.resources.settings)
    ended = sweep.BATCH
    while ended == sweep.BATCH:
        async with run.transaction() as session:
            ended = await sweep.end_entitlements(session, policy=policy, now=run.now())
    async with run.transaction() as session:
        await sweep.announce_trials(session, now=run.now())
    await _in_batches(
        run,
        lambda session, after: sweep.collect_unrecovered(
            session, policy=policy, now=run.now(), after=after
        ),
    )


@handles(REDERIVE_PLAN)
async def rederive_plan(run: Run[Resources], *, plan_id: str) -> None:
    """Bring the holders of a plan up to date after a change of the catalogue."""
    policy = StorePolicy.of(run.resources.settings)
    await _in_batches(
        run,
        lambda session, after: rederiving.rederive_plan(
            session, plan_id=plan_id, policy=policy, now=run.now(), after=after
        ),
    )


@handles(RECONCILE)
async def reconcile(run: Run[Resources]) -> None:
    """Hear what stores told while we did not listen, and ask about what they should have told."""
    policy = StorePolicy.of(run.resources.settings)
    silent: StoreUnavailable | None = None
    for source, store in run.resources.stores.items():
        try:
            await _catch_up(run, source, store)
        except StoreUnavailable as error:  # the others are heard all the same
            silent = error
    await _in_batches(
        run,
        lambda session, after: sweep.settle_uncredited(
            session, policy=policy, now=run.now(), after=after
        ),
    )
    if silent is not None:
        raise silent


async def _catch_up(run: Run[Resources], source: Source, store: Store) -> None:
    async for news in store.missed(since=run.now() - reconciling.MEMORY, now=run.now()):
        async with run.transaction() as session:
            await _take(run, session, news)
    async with run.transaction() as session:
        for wanted in await reconciling.overdue(session, source=source, now=run.now()):
            await enqueue_fetch(session, wanted, now=run.now())


@handles(FETCH_PURCHASE)
async def fetch_purchase(
    run: Run[Resources], *, source: str, environment: str, handle: str
) -> None:
    """Ask a store how one purchase stands, and take its answer."""
    wanted = Lineage(source=Source(source), environment=Environment(environment), id=handle)
    store = run.resources.stores.get(wanted.source)
    if store is None:
        log.warning("billing.store_not_configured", source=source)
        return
    news = await _asked(run, store, wanted)
    async with run.transaction() as session:
        if news is not None:
            await _take(run, session, news)
        await inbox.answered(
            session,
            source=wanted.source,
            environment=wanted.environment,
            handle=handle,
            status=MessageStatus.PROCESSED if news else MessageStatus.IGNORED,
            now=run.now(),
        )
        await run.finish(session)


@handles(ACKNOWLEDGE)
async def acknowledge(run: Run[Resources], *, source: str, receipt: str) -> None:
    """Tell a store that a customer has what they paid for; it would give the money back else."""
    store = run.resources.stores.get(Source(source))
    if store is not None:
        await store.acknowledge(receipt)


@handles(REPORT_USE)
async def report_use(
    run: Run[Resources], *, source: str, environment: str, transaction_id: str
) -> None:
    """Tell a store how much of a payment was used, before it decides on a refund."""
    asked, world = Source(source), Environment(environment)
    store = run.resources.stores.get(asked)
    if store is None:
        log.warning("billing.store_not_configured", source=source)
        return
    async with run.resources.database.reading() as session:
        use = await use_of(session, source=asked, environment=world, transaction_id=transaction_id)
    if use is None:
        log.warning("billing.use_unknown", source=source, transaction_id=transaction_id)
        return
    try:
        await store.report_use(transaction_id, use, environment=world)
    except PurchaseUnknown as refused:  # asking again would bring the same answer
        log.warning("billing.use_refused", source=source, reason=str(refused))


async def _asked(run: Run[Resources], store: Store, wanted: Lineage) -> StoreNews | None:
    """Return the store's word; that it knows of nothing is believed at the third time."""
    try:
        return await store.current(wanted.id, environment=wanted.environment, now=run.now())
    except PurchaseUnknown as error:
        if run.attempt < UNKNOWN_TIMES:
            raise PurchaseNotShown(f"{wanted.source} does not show the purchase") from error
    async with run.resources.database.reading() as session:
        return await reconciling.gone(session, wanted, now=run.now())


async def _take(run: Run[Resources], session: AsyncSession, news: StoreNews) -> None:
    await take_news(
        session,
        news,
        keys=run.resources.keys,
        policy=StorePolicy.of(run.resources.settings),
        payload_hash=inbox.retold_hash(news),
        now=run.now(),
    )


async def _in_batches(run: Run[Resources], step: Step) -> None:
    """Take a step in one transaction after another until there is no next one."""
    async with run.transaction() as session:
        after = await step(session, None)
    while after is not None:
        async with run.transaction() as session:
            after = await step(session, after)
