"""Many holds are charged together as they are one by one."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from medici.domain.ledger.audit import audit
from medici.domain.ledger.errors import HoldAlreadyResolved, InsufficientCredits
from medici.domain.ledger.models import GrantSource, Hold, LedgerTransaction, PostingKind
from medici.domain.ledger.service.holds import settle_hold
from medici.domain.ledger.service.settling import Charge, settle_holds
from medici.domain.ledger.service.wallets import park_wallet
from medici.kernel.db.database import Database
from medici.kernel.db.driver.lent import driver_of
from tests.domain.ledger.teller import HOUR, MEMO, NOW, Teller
from tests.domain.rendering.traces import Traces, traces, undone
from tests.support.databases import Template, opened

# On SQLite and on PostgreSQL, where each example takes longer.
PROFILES = {"ci": (40, 25), "nightly": (3_000, 2_000)}
EXAMPLES = PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "ci")]
SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)

USERS = ("ada", "bob", "eve")
CHARGED_AT = NOW + 3 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    user: str
    amount: int
    source: GrantSource
    begins: int  # hours from now
    ends: int | None  # hours from now


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Credits that are held, or consumed after the overdue holds were expired."""

    user: str
    amount: int
    ends: int = 0  # hours from now


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    given: tuple[Given, ...]
    held: tuple[Taken, ...]
    swept_after: int  # hours from now
    consumed: tuple[Taken, ...]
    parked: frozenset[str]


AMOUNTS = st.integers(1, 6)
A_USER = st.sampled_from(USERS)
PASTS = st.builds(
    Past,
    given=st.lists(
        st.builds(
            Given,
            user=A_USER,
            amount=st.integers(1, 12),
            source=st.sampled_from([GrantSource.PLAN_DAILY, GrantSource.PROMO, GrantSource.PACK]),
            begins=st.sampled_from([0, 0, 0, 2, 4]),
            ends=st.none() | st.integers(1, 5),
        ),
        min_size=1,
        max_size=8,
    ).map(tuple),
    held=st.lists(
        st.builds(Taken, user=A_USER, amount=AMOUNTS, ends=st.integers(1, 5)),
        min_size=1,
        max_size=8,
    ).map(tuple),
    swept_after=st.integers(0, 3),
    consumed=st.lists(st.builds(Taken, user=A_USER, amount=AMOUNTS), max_size=3).map(tuple),
    parked=st.frozensets(A_USER, max_size=1),
)


async def bring_about(session: AsyncSession, past: Past) -> list[UUID]:
    """Give and hold credits, and let time pass; return the holds, pending and expired."""
    tellers = {user: await Teller.of(session, user) for user in USERS}
    for number, one in enumerate(past.given):
        await tellers[one.user].grant(
            one.amount,
            source=one.source,
            ref=f"{number}",
            effective_at=NOW + one.begins * HOUR,
            expires_at=None if one.ends is None else NOW + (one.begins + one.ends) * HOUR,
        )
    holds = []
    for number, wanted in enumerate(past.held):
        with suppress(InsufficientCredits):
            held = await tellers[wanted.user].hold(
                wanted.amount, ref=f"{number}", expires_at=NOW + wanted.ends * HOUR
            )
            holds.append((wanted.user, held.subject_id))
    for teller in tellers.values():
        teller.now = NOW + past.swept_after * HOUR
    for user, hold in holds:
        await tellers[user].expire(hold)
    for wanted in past.consumed:
        with suppress(InsufficientCredits):
            await tellers[wanted.user].consume(wanted.amount)
    for user in past.parked:
        await park_wallet(session, wallet_id=tellers[user].wallet_id, now=NOW)
    return [hold for _, hold in holds]


async def settle_together(session: AsyncSession, holds: Sequence[UUID]) -> None:
    charges = [Charge(hold, MEMO) for hold in holds]
    await settle_holds(await driver_of(session), charges, now=CHARGED_AT)


async def settle_one_by_one(session: AsyncSession, holds: Sequence[UUID]) -> None:
    for hold in holds:
        await settle_hold(session, hold_id=hold, memo=MEMO, now=CHARGED_AT)


async def left_by(
    connection: AsyncConnection, holds: Sequence[UUID], *, together: bool
) -> tuple[Traces, list[str]]:
    """Settle holds; return what that left and what auditors find, and take it all back."""
    savepoint = await connection.begin_nested()
    async with undone(connection) as session, session.begin():
        await (settle_together if together else settle_one_by_one)(session, holds)
    async with undone(connection) as session:
        left = await traces(session), [str(finding) for finding in await audit(session)]
    await savepoint.rollback()
    return left


async def compare(database: Database, past: Past, dice: st.DataObject) -> None:
    async with database.engine.connect() as connection:
        await connection.begin()  # and never committed
        async with undone(connection) as session, session.begin():
            holds = await bring_about(session, past)
        chosen = dice.draw(st.permutations(holds))[: dice.draw(st.integers(0, len(holds)))]

        together = await left_by(connection, chosen, together=True)

        assert together == await left_by(connection, chosen, together=False)
        assert together[1] == []


class TestSettleHolds:
    @pytest.mark.timeout(3600)  # a nightly run takes its time
    def test_does_for_many_what_is_done_for_one(self, template: Template, tmp_path: Path) -> None:
        with asyncio.Runner() as runner:
            copied = template.copy(tmp_path)
            place = opened(runner.run(copied.__aenter__()))
            database = runner.run(place.__aenter__())

            @settings(SETTINGS, max_examples=EXAMPLES[database.dialect != "sqlite"])
            @given(past=PASTS, dice=st.data())
            def same(past: Past, dice: st.DataObject) -> None:
                runner.run(compare(database, past, dice))

            try:
                same()
            finally:
                runner.run(place.__aexit__(None, None, None))
                runner.run(copied.__aexit__(None, None, None))

    async def test_captures_charges_late_and_writes_off(self, session: AsyncSession) -> None:
        ada, bob = await Teller.of(session, credits=9), await Teller.of(session, "bob", credits=3)
        in_time = await ada.hold(2)
        late = await ada.hold(3, expires_at=NOW)
        unpayable = await bob.hold(3, expires_at=NOW)
        await ada.expire(late.subject_id)
        await bob.expire(unpayable.subject_id)
        await bob.consume(1)

        await settle_together(session, [in_time.subject_id, late.subject_id, unpayable.subject_id])

        assert (await ada.purse(), await bob.purse()) == ((4, 0), (2, 0))
        assert await endings(session, in_time.subject_id) == [PostingKind.CAPTURE]
        assert await endings(session, late.subject_id) == [
            PostingKind.HOLD_EXPIRE,
            PostingKind.LATE_CAPTURE,
        ]
        assert await endings(session, unpayable.subject_id) == [
            PostingKind.HOLD_EXPIRE,
            PostingKind.WRITE_OFF,
        ]
        assert await audit(session) == []

    async def test_charges_several_holds_of_one_wallet(self, session: AsyncSession) -> None:
        ada = await Teller.of(session, credits=100)
        holds = [(await ada.hold(1)).subject_id for _ in range(20)]

        await settle_together(session, holds)

        captured = await session.scalars(select(Hold.captured))
        assert list(captured) == [1] * 20
        assert await ada.purse() == (80, 0)
        assert await audit(session) == []

    @pytest.mark.parametrize("ending", ["captured", "voided"])
    async def test_writes_nothing_where_one_was_resolved(
        self, session: AsyncSession, ending: str
    ) -> None:
        ada, bob = await Teller.of(session, credits=9), await Teller.of(session, "bob", credits=9)
        pending, resolved = await bob.hold(2), await ada.hold(3)
        await (ada.capture if ending == "captured" else ada.void)(resolved.subject_id)
        before = await traces(session)

        with pytest.raises(HoldAlreadyResolved):
            await settle_together(session, [pending.subject_id, resolved.subject_id])

        assert await traces(session) == before
        assert await bob.purse() == (7, 2)

    async def test_is_content_with_nothing(self, session: AsyncSession) -> None:
        before = await traces(session)

        await settle_together(session, [])

        assert await traces(session) == before


async def endings(session: AsyncSession, hold_id: UUID) -> list[PostingKind]:
    """Return what was posted about a hold after it was placed."""
    kinds = await session.scalars(
        select(LedgerTransaction.kind)
        .where(LedgerTransaction.hold_id == hold_id, LedgerTransaction.kind != PostingKind.HOLD)
        .order_by(LedgerTransaction.wallet_seq)
    )
    return list(kinds)
