"""Any sequence of commands leaves the ledger and a naive model with the same credits."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger.audit import audit
from medici.domain.ledger.errors import InsufficientCredits
from medici.domain.ledger.models import Grant, GrantSource, PostingKind
from medici.domain.ledger.service import expiry
from medici.domain.ledger.values import Posted
from medici.kernel.db.database import Database
from tests.domain.ledger.model import Model, NotCovered, Parcel, Parts, count_of, first_of
from tests.domain.ledger.teller import HOUR, Teller
from tests.support.databases import Template, opened

T = TypeVar("T")
Command = Callable[[], Coroutine[Any, Any, Posted | None]]

# On SQLite and on PostgreSQL, where each example takes longer.
PROFILES = {"ci": (100, 50), "nightly": (10_000, 10_000)}
EXAMPLES = PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "ci")]
SETTINGS = settings(
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)

AMOUNTS = st.integers(1, 12)
PICKS = st.integers(0, 99)
HOURS = st.integers(0, 8)
SOURCES = st.sampled_from(
    [GrantSource.PLAN_DAILY, GrantSource.PLAN_PERIOD, GrantSource.PROMO, GrantSource.PACK]
)


@dataclass(kw_only=True)
class Pending:
    """A hold that the machine placed, and how it ended."""

    id: UUID
    parts: Parts
    ends: datetime
    status: str = "pending"


@dataclass(kw_only=True)
class Charge:
    """A transaction that took credits, and what of it has not been given back."""

    id: UUID
    parts: Parts


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A database and the event loop that it belongs to."""

    database: Database
    runner: asyncio.Runner

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)


class LedgerMachine(RuleBasedStateMachine):
    """One wallet, from empty, in one transaction that is rolled back in the end."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self.run = bench.run
        self.session = AsyncSession(bench.database.engine, expire_on_commit=False)
        self.teller: Teller = self.run(Teller.of(self.session))
        self.model = Model()
        self.holds: list[Pending] = []
        self.charges: list[Charge] = []
        self.grants: list[tuple[UUID, Parcel]] = []
        self.again: Command | None = None
        self.commands = 0
        self.checked = True

    @rule(source=SOURCES, amount=AMOUNTS, hours=st.none() | HOURS)
    def give(self, source: GrantSource, amount: int, hours: int | None) -> None:
        ends = None if hours is None else self.teller.now + hours * HOUR
        ref = self.name()
        given = self.do(lambda: self.teller.grant(amount, source=source, ref=ref, expires_at=ends))
        parcel = self.model.give(amount, source, ends)
        self.grants.append((given.subject_id, parcel))
        self.model.pass_time(self.teller.now)

    @rule(amount=AMOUNTS)
    def consume(self, amount: int) -> None:
        key = self.name()
        if parts := self.covered(amount, lambda: self.teller.consume(amount, key=key)):
            for parcel, count in parts:
                parcel.spent += count
            self.charges.append(Charge(id=self.last.transaction_id, parts=parts))

    @rule(amount=AMOUNTS, hours=HOURS)
    def hold(self, amount: int, hours: int) -> None:
        ends, ref = self.teller.now + hours * HOUR, self.name()
        if parts := self.covered(
            amount, lambda: self.teller.hold(amount, ref=ref, expires_at=ends)
        ):
            for parcel, count in parts:
                parcel.held += count
            self.holds.append(Pending(id=self.last.subject_id, parts=parts, ends=ends))

    @precondition(lambda self: self.pending)
    @rule(pick=PICKS, part=PICKS)
    def capture(self, pick: int, part: int) -> None:
        hold = self.pending[pick % len(self.pending)]
        amount = part % count_of(hold.parts) + 1
        captured = self.do(lambda: self.teller.settle(hold.id, amount))
        used, rest = first_of(hold.parts, amount)
        self.release(hold, "captured", rest)
        for parcel, count in used:
            parcel.held, parcel.spent = parcel.held - count, parcel.spent + count
        self.charges.append(Charge(id=captured.transaction_id, parts=used))

    @precondition(lambda self: self.pending)
    @rule(pick=PICKS)
    def void(self, pick: int) -> None:
        hold = self.pending[pick % len(self.pending)]
        self.do(lambda: self.teller.void(hold.id))
        self.release(hold, "voided", hold.parts)

    @precondition(lambda self: self.pending)
    @rule(pick=PICKS)
    def expire(self, pick: int) -> None:
        hold = self.pending[pick % len(self.pending)]
        if hold.ends > self.teller.now:
            assert self.run(self.teller.expire(hold.id)) is None
            return
        self.do(lambda: self.teller.expire(hold.id))
        self.release(hold, "expired", hold.parts)

    @precondition(lambda self: any(hold.status == "expired" for hold in self.holds))
    @rule(pick=PICKS)
    def finish_late(self, pick: int) -> None:
        expired = [hold for hold in self.holds if hold.status == "expired"]
        hold = expired[pick % len(expired)]
        settled = self.do(lambda: self.teller.settle(hold.id))
        hold.status = "settled"
        try:
            parts = self.model.take(count_of(hold.parts))
        except NotCovered:
            assert settled.kind is PostingKind.WRITE_OFF
            return
        for parcel, count in parts:
            parcel.spent += count
        self.charges.append(Charge(id=settled.transaction_id, parts=parts))

    @precondition(lambda self: any(charge.parts for charge in self.charges))
    @rule(pick=PICKS, part=PICKS)
    def refund(self, pick: int, part: int) -> None:
        open_charges = [charge for charge in self.charges if charge.parts]
        charge = open_charges[pick % len(open_charges)]
        amount, key = part % count_of(charge.parts) + 1, self.name()
        self.do(lambda: self.teller.refund(charge.id, amount, key=key))
        back, rest = first_of(charge.parts[::-1], amount)
        charge.parts = rest[::-1]
        self.give_back(back)

    @precondition(lambda self: self.grants)
    @rule(pick=PICKS, amount=AMOUNTS)
    def revoke(self, pick: int, amount: int) -> None:
        (grant_id, parcel), key = self.grants[pick % len(self.grants)], self.name()
        revoked = self.do(lambda: self.teller.revoke(grant_id, amount, key=key))
        assert revoked.amount == min(amount, parcel.free)
        parcel.free, parcel.gone = parcel.free - revoked.amount, parcel.gone + revoked.amount

    @rule(hours=HOURS)
    def advance(self, hours: int) -> None:
        self.teller.now += hours * HOUR
        self.model.pass_time(self.teller.now)

    @precondition(lambda self: self.again is not None)
    @rule()
    def ask_again(self) -> None:
        assert self.again is not None
        again = self.run(self.again())
        assert again is not None
        assert (again.applied, again.transaction_id) == (False, self.last.transaction_id)
        assert (again.available, again.held) == (self.last.available, self.last.held)

    @invariant()
    def same_credits(self) -> None:
        if not self.checked:
            assert (self.last.available, self.last.held) == self.model.purse
            self.checked = True

    @property
    def pending(self) -> list[Pending]:
        return [hold for hold in self.holds if hold.status == "pending"]

    def name(self) -> str:
        """Return a name that no other command of this wallet has."""
        self.commands += 1
        return f"command {self.commands}"

    def do(self, command: Command) -> Posted:
        """Carry out a command that must work, and remember it for a repetition."""
        posted = self.run(command())
        assert posted is not None
        assert posted.applied
        self.again, self.last = command, posted
        self.checked = False
        return posted

    def covered(self, amount: int, command: Command) -> Parts:
        """Spend in both worlds; nothing if both say that it is not covered."""
        try:
            parts = self.model.take(amount)
        except NotCovered:
            with pytest.raises(InsufficientCredits):
                self.run(command())
            return []
        self.do(command)
        return parts

    def release(self, hold: Pending, status: str, parts: Parts) -> None:
        hold.status = status
        for parcel, count in parts:
            parcel.held -= count
            parcel.take_back(count, self.teller.now)

    def give_back(self, parts: Parts) -> None:
        """Return spent credits; those of parcels that are over come in a new parcel."""
        lost = 0
        for parcel, count in parts:
            parcel.spent -= count
            parcel.take_back(count, self.teller.now)
            lost += count if parcel.over(self.teller.now) else 0
        if lost:
            self.model.give(lost, GrantSource.REFUND, self.teller.now + timedelta(days=30))

    def teardown(self) -> None:
        try:
            self.run(self.compare())
        finally:
            self.run(self.session.close())

    async def compare(self) -> None:
        """Compare every grant, once time has been booked, and check the books."""
        assert await self.teller.purse() == self.model.purse
        await expiry.settle_wallet(
            self.session, wallet_id=self.teller.wallet_id, now=self.teller.now
        )
        stored = await self.session.execute(
            select(Grant.held, Grant.consumed, Grant.expired + Grant.revoked)
            .where(Grant.wallet_id == self.teller.wallet_id)
            .order_by(Grant.created_seq)
        )
        assert [tuple(row) for row in stored] == [
            (parcel.held, parcel.spent, parcel.gone) for parcel in self.model.parcels
        ]
        assert await audit(self.session, wallet_id=self.teller.wallet_id) == []


@asynccontextmanager
async def opened_copy(template: Template, directory: Path) -> AsyncIterator[Database]:
    async with template.copy(directory) as url, opened(url) as database:
        yield database


@pytest.mark.timeout(1800)  # a nightly run takes its time
def test_agrees_with_a_naive_model(template: Template, tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        place = opened_copy(template, tmp_path)
        database = runner.run(place.__aenter__())
        bench = Bench(database=database, runner=runner)
        try:
            run_state_machine_as_test(
                lambda: LedgerMachine(bench),  # type: ignore[arg-type]  # it calls what it gets
                settings=settings(SETTINGS, max_examples=EXAMPLES[database.dialect != "sqlite"]),
            )
        finally:
            runner.run(place.__aexit__(None, None, None))
