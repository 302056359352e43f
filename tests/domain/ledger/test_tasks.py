from dataclasses import dataclass

from structlog.testing import capture_logs

from medici.domain.ledger import queries, tasks
from medici.domain.ledger.models import GrantSource, Wallet
from medici.domain.ledger.service.expiry import BATCH
from medici.domain.ledger.work import AUDIT, EXPIRE_GRANTS, EXPIRE_HOLDS
from medici.jobs.handlers import Registry
from medici.jobs.inline import run_due
from medici.jobs.kinds import JobKind
from medici.jobs.outcomes import Done
from medici.jobs.queue import enqueue
from medici.kernel.db.database import Database
from tests.domain.ledger.teller import HOUR, LATER, NOW, Teller

REGISTRY = Registry.of(tasks)


@dataclass(frozen=True)
class Opened:
    """As much of a process's resources as the ledger asks for."""

    database: Database


async def carry_out(database: Database, kind: JobKind) -> None:
    """Ask for a job and run it, a day after everything was set up."""
    async with database.transaction() as session:
        await enqueue(session, kind, now=LATER, args={})
    (ran,) = await run_due(database, REGISTRY, Opened(database), LATER)
    assert ran.outcome == Done()


class TestSchedules:
    def test_bring_round_every_kind(self) -> None:
        assert {schedule.kind for schedule in REGISTRY.schedules} == set(REGISTRY.kinds)
        assert set(REGISTRY.kinds) == {EXPIRE_HOLDS, EXPIRE_GRANTS, AUDIT}


class TestExpireHolds:
    async def test_ends_all_that_are_overdue(self, database: Database) -> None:
        async with database.transaction() as session:
            teller = await Teller.of(session, credits=BATCH + 5)
            for _ in range(BATCH + 1):
                await teller.hold(1, expires_at=NOW + HOUR)
            await teller.hold(2, expires_at=LATER + HOUR)

        await carry_out(database, EXPIRE_HOLDS)

        async with database.reading() as session:
            teller = Teller(session, teller.wallet_id)
            assert await teller.purse() == (BATCH + 3, 2)


class TestExpireGrants:
    async def test_settles_all_that_are_due(self, database: Database) -> None:
        async with database.transaction() as session:
            for number in range(BATCH + 1):
                teller = await Teller.of(session, f"user {number}", credits=1)
                await teller.grant(2, source=GrantSource.PLAN_DAILY, expires_at=NOW + HOUR)

        await carry_out(database, EXPIRE_GRANTS)

        async with database.reading() as session:
            assert await queries.due_wallets(session, now=LATER, limit=1) == []


class TestAuditBooks:
    async def test_parks_what_does_not_balance_and_tells_of_it(self, database: Database) -> None:
        async with database.transaction() as session:
            ada = await Teller.of(session, credits=3)
            bob = await Teller.of(session, "bob", credits=3)
            wallet = await session.get_one(Wallet, ada.wallet_id)
            wallet.held = 1

        with capture_logs() as events:
            await carry_out(database, AUDIT)

        async with database.reading() as session:
            broken = await session.get_one(Wallet, ada.wallet_id)
            sound = await session.get_one(Wallet, bob.wallet_id)
        assert (broken.parked_at, sound.parked_at) == (LATER, None)
        told = [event for event in events if event["event"] == "ledger.unbalanced"]
        assert {event["invariant"] for event in told} == {"L3", "L4", "L5", "L14"}
        assert {event["wallet_id"] for event in told} == {str(ada.wallet_id)}

    async def test_parks_nobody_while_the_books_balance(self, database: Database) -> None:
        async with database.transaction() as session:
            ada = await Teller.of(session, credits=3)

        await carry_out(database, AUDIT)

        async with database.reading() as session:
            assert (await session.get_one(Wallet, ada.wallet_id)).parked_at is None
