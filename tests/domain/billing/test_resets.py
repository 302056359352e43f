"""The daily reset: one grant per wallet and day, whoever runs it and however often."""

from collections import Counter
from datetime import timedelta

from sqlalchemy import select, text, update

from medici.domain.billing.models import EntitlementStatus
from medici.domain.billing.resets import queries as resets_queries
from medici.domain.billing.resets import runs as resets
from medici.domain.billing.resets.models import RunState
from medici.domain.billing.resets.rehearsals import rehearse
from medici.domain.billing.resets.rules import Tally
from medici.domain.billing.rules import Entitlement
from medici.domain.billing.service.entitlements import set_entitlement
from medici.domain.events.models import Event
from medici.domain.identity.owner import Owner, OwnerKind
from medici.domain.identity.service import disable_user
from medici.domain.ledger.models import GrantSource, LedgerTransaction, Wallet
from medici.domain.ledger.queries import wallet_by_owner
from medici.domain.ledger.service.grants import issue_grant
from medici.domain.ledger.service.wallets import open_wallet, park_wallet
from medici.domain.ledger.values import GrantTerms
from medici.kernel.db.database import Database
from tests.domain.billing.resetting import (
    MEMO,
    MIDNIGHT,
    NOON,
    at,
    balances,
    books_balance,
    grants_of,
    reset,
    spend,
    stored,
    users,
)

PRO = Entitlement(plan_id="pro", status=EntitlementStatus.ACTIVE)


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
