"""The daily reset: one grant per wallet and day, whoever runs it and however often."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from medici.domain.billing.allowance import ResetSchedule, allowance_window
from medici.domain.billing.models import EntitlementStatus, ResetScheduleRow
from medici.domain.billing.resets import queries as resets_queries
from medici.domain.billing.resets import runs as resets
from medici.domain.billing.resets import tasks as reset_tasks
from medici.domain.billing.resets.models import ResetRun, RunState
from medici.domain.billing.resets.rehearsals import rehearse
from medici.domain.billing.resets.rules import SkippedReason, Tally, reason_to_skip
from medici.domain.billing.resets.runs import Ticked
from medici.domain.billing.resets.work import TICK
from medici.domain.billing.rules import Entitlement
from medici.domain.billing.service.allowances import ensure_allowance
from medici.domain.billing.service.entitlements import set_entitlement
from medici.domain.events.models import Event
from medici.domain.identity.owner import Owner, OwnerKind
from medici.domain.identity.service import disable_user, ensure_user
from medici.domain.ledger.audit import audit
from medici.domain.ledger.models import Grant, GrantSource, LedgerTransaction, Wallet
from medici.domain.ledger.queries import wallet_by_owner
from medici.domain.ledger.service.consume import consume
from medici.domain.ledger.service.grants import issue_grant
from medici.domain.ledger.service.wallets import open_wallet, park_wallet
from medici.domain.ledger.values import GrantTerms, Memo
from medici.domain.plans.service import install_defaults
from medici.jobs.handlers import Registry
from medici.jobs.inline import run_due
from medici.jobs.queue import enqueue
from medici.kernel.clock import Clock
from medici.kernel.db.database import Database
from tests.support.databases import opened

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
NEXT_NOON = NOON + timedelta(days=1)
PRO = Entitlement(plan_id="pro", status=EntitlementStatus.ACTIVE)
MEMO = Memo(actor="test", reason="a test")
REGISTRY = Registry.of(reset_tasks)
TODAY = allowance_window(NOON, 0, 0)


@pytest.fixture
async def sold(database: Database) -> Database:
    """A deployment with its default plans."""
    async with database.transaction() as session:
        await install_defaults(session, now=NOON)
    return database


async def users(database: Database, *names: str, now: datetime = NOON) -> None:
    """Let users come by, so that each has a wallet with the day's credits."""
    async with database.transaction() as session:
        for name in names:
            await ensure_user(session, user_id=name, now=now)
            await ensure_allowance(session, owner=Owner.user(name), now=now)


async def reset(
    database: Database, *, now: datetime, size: int = 2, dry_run: bool = False
) -> Tally:
    """Run a reset to its end and return what it counted."""
    async with database.transaction() as session:
        run_id = await resets.begin(session, actor="test", dry_run=dry_run, now=now)
    assert await resets.carry_on(database.transaction, run_id, clock=at(now), size=size)
    return tally_of(await stored(database, run_id))


def at(now: datetime) -> Clock:
    """Return a clock that stands still."""
    return lambda: now


async def stored(database: Database, run_id: UUID) -> ResetRun:
    async with database.reading() as session:
        return await resets_queries.run_by_id(session, run_id)


def tally_of(run: ResetRun) -> Tally:
    return Tally(
        users_processed=run.users_processed,
        balances_updated=run.balances_updated,
        credits_granted=run.credits_granted,
        skipped_disabled=run.skipped_disabled,
        skipped_parked=run.skipped_parked,
    )


async def balances(database: Database) -> dict[str, int]:
    async with database.reading() as session:
        rows = await session.execute(select(Wallet.owner_id, Wallet.available))
        return {row.owner_id: row.available for row in rows}


async def grants_of(database: Database, day: str) -> Counter[str]:
    """Count each user's allowances of a day."""
    async with database.reading() as session:
        rows = await session.scalars(
            select(Wallet.owner_id)
            .join(Grant, Grant.wallet_id == Wallet.id)
            .where(Grant.source == GrantSource.PLAN_DAILY, Grant.source_ref == day)
        )
        return Counter(rows.all())


async def spend(database: Database, user: str, amount: int, *, now: datetime = NOON) -> None:
    async with database.transaction() as session:
        wallet_id = await open_wallet(session, owner=Owner.user(user), now=now)
        await consume(session, wallet_id=wallet_id, amount=amount, memo=MEMO, now=now)


async def books_balance(database: Database) -> bool:
    async with database.reading() as session:
        return await audit(session) == []


class TestReset:
    async def test_replaces_yesterdays_rest_and_spares_what_was_bought(
        self, sold: Database
    ) -> None:
        await users(sold, "ada", "bob", "eve")
        await spend(sold, "bob", 2)
        async with sold.transaction() as session:
            wallet_id = await open_wallet(session, owner=Owner.user("eve"), now=NOON)
            pack = GrantTerms(source=GrantSource.PACK, source_ref="apple:1", amount=100)
            await issue_grant(session, wallet_id=wallet_id, terms=pack, memo=MEMO, now=NOON)

        tally = await reset(sold, now=MIDNIGHT)

        assert tally == Tally(users_processed=3, balances_updated=3, credits_granted=9)
        assert await balances(sold) == {"ada": 3, "bob": 3, "eve": 103}
        assert await grants_of(sold, "2026-11-25") == Counter(ada=1, bob=1, eve=1)
        assert await books_balance(sold)

    async def test_is_one_transaction_for_the_old_and_the_new(self, sold: Database) -> None:
        await users(sold, "ada")

        await reset(sold, now=MIDNIGHT)

        async with sold.reading() as session:
            rows = await session.execute(
                select(LedgerTransaction.kind, LedgerTransaction.at).order_by(
                    LedgerTransaction.wallet_seq
                )
            )
            assert [tuple(row) for row in rows] == [
                ("grant", NOON),
                ("expire", MIDNIGHT),
                ("grant", MIDNIGHT),
            ]

    async def test_opens_a_wallet_for_who_has_an_entitlement_alone(self, sold: Database) -> None:
        async with sold.transaction() as session:
            await set_entitlement(session, owner=Owner.user("zoe"), entitlement=PRO, now=NOON)
            await session.execute(text("DELETE FROM credit_wallets WHERE seq < 0"))
        async with sold.transaction() as session:
            await session.execute(
                text(
                    "INSERT INTO entitlements (owner_kind, owner_id, plan_id, status, source,"
                    " details, updated_at) SELECT owner_kind, 'amy', plan_id, status, source,"
                    " details, updated_at FROM entitlements"
                )
            )

        tally = await reset(sold, now=NOON)

        assert tally == Tally(users_processed=2, balances_updated=1, credits_granted=80)
        assert await balances(sold) == {"amy": 80, "zoe": 80}

    async def test_gives_each_what_the_plan_gives(self, sold: Database) -> None:
        await users(sold, "ada", "bob")
        async with sold.transaction() as session:
            await set_entitlement(session, owner=Owner.user("bob"), entitlement=PRO, now=NOON)

        await reset(sold, now=MIDNIGHT)

        assert await balances(sold) == {"ada": 3, "bob": 80}

    async def test_gives_nothing_to_who_has_had_it(self, sold: Database) -> None:
        await users(sold, "ada", "bob")
        await users(sold, "bob", now=MIDNIGHT)

        first = await reset(sold, now=MIDNIGHT)
        second = await reset(sold, now=MIDNIGHT + timedelta(hours=5))

        assert (first.balances_updated, second.balances_updated) == (1, 0)
        assert await grants_of(sold, "2026-11-25") == Counter(ada=1, bob=1)

    async def test_leaves_disabled_and_parked_ones_alone_and_tells_of_them(
        self, sold: Database
    ) -> None:
        await users(sold, "ada", "bob", "eve")
        async with sold.transaction() as session:
            await disable_user(session, user_id="ada", now=NOON)
            wallet_id = await open_wallet(session, owner=Owner.user("bob"), now=NOON)
            await park_wallet(session, wallet_id=wallet_id, now=NOON)

        tally = await reset(sold, now=MIDNIGHT)

        assert tally == Tally(
            users_processed=3,
            balances_updated=1,
            credits_granted=3,
            skipped_disabled=1,
            skipped_parked=1,
        )
        assert await grants_of(sold, "2026-11-25") == Counter(eve=1)

    async def test_parks_a_wallet_that_is_broken_and_goes_on(self, sold: Database) -> None:
        await users(sold, "ada", "bob", "eve")
        async with sold.transaction() as session:
            await session.execute(
                update(Wallet).where(Wallet.owner_id == "bob").values(available=1)
            )

        tally = await reset(sold, now=MIDNIGHT, size=3)

        async with sold.reading() as session:
            bob = await wallet_by_owner(session, owner=Owner.user("bob"))
        assert bob is not None
        assert bob.parked_at == MIDNIGHT
        assert (tally.balances_updated, tally.skipped_parked) == (2, 1)
        assert await grants_of(sold, "2026-11-25") == Counter(ada=1, eve=1)

    async def test_is_of_users_alone(self, sold: Database) -> None:
        async with sold.transaction() as session:
            await open_wallet(session, owner=Owner(kind=OwnerKind.SHOP, id="mill"), now=NOON)

        assert await reset(sold, now=NOON) == Tally()

    async def test_ends_where_its_day_does(self, sold: Database) -> None:
        await users(sold, "ada", "bob", "eve")
        async with sold.transaction() as session:
            run_id = await resets.begin(session, actor="test", dry_run=False, now=MIDNIGHT)

        ended = await resets.carry_on(
            sold.transaction, run_id, clock=at(MIDNIGHT), batches=1, size=1
        )
        after = await resets.carry_on(
            sold.transaction, run_id, clock=at(MIDNIGHT + timedelta(days=1)), size=1
        )

        run = await stored(sold, run_id)
        assert (ended, after) == (False, True)
        assert (run.state, run.users_processed) == (RunState.OVERTAKEN, 1)
        assert await grants_of(sold, "2026-11-25") == Counter(ada=1)

    async def test_records_one_fact(self, sold: Database) -> None:
        await users(sold, "ada", "bob")

        await reset(sold, now=MIDNIGHT)

        async with sold.reading() as session:
            (fact,) = (await session.scalars(select(Event))).all()
        assert (fact.name, fact.credits) == ("credits_reset", 6)
        assert fact.properties["schedule_date"] == "2026-11-25"
        assert fact.properties["balances_updated"] == 2


class TestRehearsal:
    async def test_tells_the_same_numbers_and_writes_nothing(self, sold: Database) -> None:
        await users(sold, "ada", "bob", "eve")
        async with sold.transaction() as session:
            await disable_user(session, user_id="ada", now=NOON)

        told = await rehearse(sold.reading, now=MIDNIGHT, at_most=1000)

        before = await balances(sold)
        async with sold.reading() as session:
            assert await resets_queries.runs(session, limit=10) == []
        assert before == {"ada": 3, "bob": 3, "eve": 3}
        assert await grants_of(sold, "2026-11-25") == Counter()
        assert told.complete
        assert await reset(sold, now=MIDNIGHT) == told.tally

    async def test_in_the_background_tells_the_same(self, sold: Database) -> None:
        await users(sold, "ada", "bob", "eve")

        dry = await reset(sold, now=MIDNIGHT, dry_run=True)

        assert await grants_of(sold, "2026-11-25") == Counter()
        assert await reset(sold, now=MIDNIGHT) == dry

    async def test_stops_after_as_many_as_allowed(self, sold: Database) -> None:
        await users(sold, "ada")

        told = await rehearse(sold.reading, now=MIDNIGHT, at_most=0)

        assert (told.complete, told.tally) == (False, Tally())


class TestTick:
    @pytest.mark.parametrize(
        ("enabled", "begun", "skipped"),
        [
            (False, None, SkippedReason.DISABLED),
            (False, "2026-11-24", SkippedReason.DISABLED),
            (True, None, None),
            (True, "2026-11-23", None),
            (True, "2026-11-24", SkippedReason.NOT_DUE),
            (True, "2026-11-25", SkippedReason.NOT_DUE),
        ],
    )
    def test_is_due_once_a_day(
        self, enabled: bool, begun: str | None, skipped: SkippedReason | None
    ) -> None:
        assert reason_to_skip(ResetSchedule(enabled=enabled), TODAY, begun) == skipped

    async def test_begins_one_reset_for_each_day(self, sold: Database) -> None:
        ticked = []
        for hours in (0, 1, 11, 12, 13):
            async with sold.transaction() as session:
                now = NOON + timedelta(hours=hours)
                ticked.append(await resets.tick(session, actor="test", now=now))

        not_due = Ticked(skipped=SkippedReason.NOT_DUE)
        assert [each == not_due for each in ticked] == [False, True, True, False, True]

    @pytest.mark.parametrize("moved_to", [1, 11, 13, 23])
    async def test_gives_no_date_twice_where_the_boundary_moves(
        self, sold: Database, moved_to: int
    ) -> None:
        await users(sold, "ada")
        for hours in range(60):
            now = NOON + timedelta(hours=hours)
            async with sold.transaction() as session:
                ticked = await resets.tick(session, actor="test", now=now)
                if hours == 5:
                    row = ResetScheduleRow(
                        id=1, enabled=True, reset_hour_utc=moved_to, reset_minute_utc=0
                    )
                    await session.merge(row)
            if ticked.run_id:
                await resets.carry_on(sold.transaction, ticked.run_id, clock=at(now))

        for day in ("2026-11-24", "2026-11-25", "2026-11-26"):
            assert await grants_of(sold, day) in (Counter(ada=1), Counter())
        assert await grants_of(sold, "2026-11-25") == Counter(ada=1)
        assert await books_balance(sold)

    @pytest.mark.parametrize("turn", [datetime(2026, 3, 29), datetime(2026, 10, 25)])  # noqa: DTZ001 - of no zone yet
    async def test_gives_days_of_23_and_25_hours_once(self, sold: Database, turn: datetime) -> None:
        began = turn.replace(tzinfo=UTC) - timedelta(days=1)
        await users(sold, "ada", now=began)
        async with sold.transaction() as session:
            row = ResetScheduleRow(
                id=1,
                enabled=True,
                reset_hour_utc=0,
                reset_minute_utc=0,
                time_zone="Europe/London",
            )
            await session.merge(row)
        for hours in range(72):
            now = began + timedelta(hours=hours)
            async with sold.transaction() as session:
                ticked = await resets.tick(session, actor="test", now=now)
            if ticked.run_id:
                await resets.carry_on(sold.transaction, ticked.run_id, clock=at(now))

        for days in range(3):
            day = (began + timedelta(days=days)).date().isoformat()
            assert await grants_of(sold, day) == Counter(ada=1)
        assert await books_balance(sold)

    @pytest.mark.parametrize(
        ("now", "day"),
        [
            (datetime(2028, 2, 28, 23, 59, tzinfo=UTC), "2028-02-28"),
            (datetime(2028, 2, 29, tzinfo=UTC), "2028-02-29"),
            (datetime(2028, 3, 1, tzinfo=UTC), "2028-03-01"),
        ],
    )
    async def test_knows_the_leap_day(self, sold: Database, now: datetime, day: str) -> None:
        await users(sold, "ada", now=now - timedelta(days=1))

        await reset(sold, now=now)

        assert await grants_of(sold, day) == Counter(ada=1)

    async def test_in_the_background_does_the_reset(self, sold: Database) -> None:
        await users(sold, "ada", "bob")
        async with sold.transaction() as session:
            await enqueue(session, TICK, now=MIDNIGHT, args={})

        ran = await run_due(sold, REGISTRY, None, MIDNIGHT)

        assert [each.kind for each in ran] == ["billing.reset_tick", "billing.reset_run"]
        assert await grants_of(sold, "2026-11-25") == Counter(ada=1, bob=1)

    async def test_in_the_background_takes_up_what_was_left(self, sold: Database) -> None:
        await users(sold, "ada", "bob")
        async with sold.transaction() as session:
            run_id = await resets.begin(session, actor="who died", dry_run=False, now=MIDNIGHT)
            await enqueue(session, TICK, now=MIDNIGHT, args={})

        await run_due(sold, REGISTRY, None, MIDNIGHT)

        run = await stored(sold, run_id)
        assert (run.state, run.balances_updated) == (RunState.COMPLETED, 2)

    async def test_in_the_background_is_given_up_after_five_failures(self, sold: Database) -> None:
        await users(sold, "ada")
        async with sold.transaction() as session:
            run_id = await resets.begin(session, actor="test", dry_run=False, now=MIDNIGHT)
            await resets.hand_over(session, run_id, now=MIDNIGHT)
            await session.execute(update(ResetRun).values(schedule_date="nonsense"))

        for hours in range(6):
            await run_due(sold, REGISTRY, None, MIDNIGHT + timedelta(hours=hours))

        assert (await stored(sold, run_id)).state is RunState.FAILED

    async def test_begins_anew_after_one_that_was_given_up(self, sold: Database) -> None:
        async with sold.transaction() as session:
            first = await resets.tick(session, actor="test", now=NOON)
            assert first.run_id is not None
            await resets.give_up(session, first.run_id, now=NOON)
            second = await resets.tick(session, actor="test", now=NOON)

        assert second.run_id not in (None, first.run_id)
        assert (await stored(sold, first.run_id)).state is RunState.FAILED


class TestManyAtOnce:
    async def test_run_and_tick_twenty_times_give_one_grant_each(
        self, sold: Database, database_url: str
    ) -> None:
        names = [f"user {number:02}" for number in range(25)]
        await users(sold, *names)

        async def run(database: Database) -> None:
            async with database.transaction() as session:
                run_id = await resets.begin(session, actor="test", dry_run=False, now=MIDNIGHT)
            await resets.carry_on(database.transaction, run_id, clock=at(MIDNIGHT), size=4)

        async def tick(database: Database) -> None:
            async with database.transaction() as session:
                ticked = await resets.tick(session, actor="test", now=MIDNIGHT)
            if ticked.run_id:
                await resets.carry_on(
                    database.transaction, ticked.run_id, clock=at(MIDNIGHT), size=4
                )

        async with opened(database_url) as other:
            both: Sequence[Database] = (sold, other)
            await asyncio.gather(
                *(run(both[number % 2]) for number in range(20)),
                *(tick(both[number % 2]) for number in range(20)),
            )

        assert await grants_of(sold, "2026-11-25") == Counter(names)
        async with sold.reading() as session:
            every = await resets_queries.runs(session, limit=50)
        assert sum(one.balances_updated for one in every) == 25
        assert {one.state for one in every} == {RunState.COMPLETED}
        assert await books_balance(sold)
