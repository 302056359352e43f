"""Holds whose time is over."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger import queries
from medici.domain.ledger.audit import audit
from medici.domain.ledger.errors import (
    HoldAlreadyResolved,
)
from medici.domain.ledger.models import (
    PostingKind,
)
from medici.domain.ledger.service import wallets
from tests.domain.ledger.teller import HOUR, NOW, Teller


class TestExpireHold:
    async def test_ends_a_hold_whose_time_is_over(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=5)
        held = await teller.hold(5, expires_at=NOW + HOUR)
        teller.now = NOW + HOUR

        expired = await teller.expire(held.subject_id)

        assert expired is not None
        assert expired.kind is PostingKind.HOLD_EXPIRE
        assert await teller.purse() == (5, 0)

    async def test_leaves_alone_what_is_not_due_or_has_ended(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=5)
        pending = await teller.hold(2, expires_at=NOW + HOUR)
        captured = await teller.hold(1, expires_at=NOW)
        await teller.capture(captured.subject_id)

        assert await teller.expire(pending.subject_id) is None
        assert await teller.expire(captured.subject_id) is None
        assert await teller.purse() == (2, 2)

    async def test_happens_once(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=5)
        held = await teller.hold(5, expires_at=NOW)

        first = await teller.expire(held.subject_id)
        second = await teller.expire(held.subject_id)

        assert first is not None
        assert second is not None
        assert (first.applied, second.applied) == (True, False)


class TestSettleHold:
    async def test_captures_while_the_hold_is_pending(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=5)
        held = await teller.hold(4)

        settled = await teller.settle(held.subject_id, 3)

        assert settled.kind is PostingKind.CAPTURE
        assert await teller.purse() == (2, 0)

    async def test_consumes_afresh_after_the_hold_has_expired(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=5)
        held = await teller.hold(4, expires_at=NOW)
        await teller.expire(held.subject_id)

        first, second = await teller.settle(held.subject_id), await teller.settle(held.subject_id)

        assert first.kind is PostingKind.LATE_CAPTURE
        assert (second.applied, second.transaction_id) == (False, first.transaction_id)
        assert await teller.purse() == (1, 0)
        assert await queries.charge_of_hold(session, held.subject_id) == first.transaction_id

    async def test_writes_off_what_the_wallet_cannot_pay_any_more(
        self, session: AsyncSession
    ) -> None:
        teller = await Teller.of(session, credits=5)
        held = await teller.hold(4, expires_at=NOW)
        await teller.expire(held.subject_id)
        await teller.consume(3)

        settled = await teller.settle(held.subject_id)
        await teller.grant(9)
        again = await teller.settle(held.subject_id)

        assert (settled.kind, settled.amount) == (PostingKind.WRITE_OFF, 4)
        assert (again.kind, again.applied) == (PostingKind.WRITE_OFF, False)
        assert await teller.purse() == (11, 0)
        assert await queries.charge_of_hold(session, held.subject_id) is None
        assert await audit(session) == []

    async def test_charges_nothing_for_a_voided_hold(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=5)
        held = await teller.hold(4)
        await teller.void(held.subject_id)

        with pytest.raises(HoldAlreadyResolved):
            await teller.settle(held.subject_id)

        assert await teller.purse() == (5, 0)


class TestOverdue:
    async def test_lists_pending_holds_of_unparked_wallets(self, session: AsyncSession) -> None:
        ada, bob = await Teller.of(session, credits=5), await Teller.of(session, "bob", credits=5)
        due = await ada.hold(1, expires_at=NOW)
        await ada.hold(1, expires_at=NOW + timedelta(seconds=1))
        await bob.hold(1, expires_at=NOW)
        await wallets.park_wallet(session, wallet_id=bob.wallet_id, now=NOW)

        found = await queries.overdue_holds(session, now=NOW, limit=10)

        assert [hold.id for hold in found] == [due.subject_id]
