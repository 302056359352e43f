"""Credits set aside for work: placed, captured, given back."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger import queries
from medici.domain.ledger.errors import (
    CaptureExceedsHold,
    HoldAlreadyResolved,
    HoldNotFound,
    IdempotencyKeyReused,
    InsufficientCredits,
    InvalidAmount,
    WalletParked,
)
from medici.domain.ledger.models import (
    Account,
    GrantSource,
    Hold,
    LedgerEntry,
    PostingKind,
)
from medici.domain.ledger.service import wallets
from medici.kernel.ids import new_id
from tests.domain.ledger.teller import HOUR, LATER, NOW, Teller, render


class TestPlaceHold:
    async def test_reserves_without_spending(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=10)

        held = await teller.hold(4)

        assert (held.kind, held.amount, held.applied) == (PostingKind.HOLD, 4, True)
        assert (held.available, held.held) == (6, 4)
        assert await teller.purse() == (6, 4)

    async def test_returns_the_same_hold_to_the_same_reference(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=10)
        first = await teller.hold(4, ref="a")
        await teller.consume(1)

        second = await teller.hold(4, ref="a")

        assert second.applied is False
        assert second.subject_id == first.subject_id
        assert (second.transaction_id, second.available, second.held) == (
            first.transaction_id,
            6,
            4,
        )
        assert await teller.purse() == (5, 4)

    async def test_refuses_a_reference_that_holds_another_amount(
        self, session: AsyncSession
    ) -> None:
        teller = await Teller.of(session, credits=10)
        await teller.hold(4, ref="a")

        with pytest.raises(IdempotencyKeyReused):
            await teller.hold(5, ref="a")

        assert await teller.purse() == (6, 4)

    async def test_refuses_what_is_not_covered(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=3)

        with pytest.raises(InsufficientCredits) as refused:
            await teller.hold(4)

        assert refused.value.details() == {"available": 3, "needed": 4}
        assert await teller.purse() == (3, 0)
        assert await session.scalar(select(func.count()).select_from(Hold)) == 0

    async def test_counts_held_credits_as_used(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=5)
        await teller.hold(3)

        with pytest.raises(InsufficientCredits):
            await teller.hold(3)

    async def test_burns_what_ends_first(self, teller: Teller) -> None:
        await teller.grant(3, source=GrantSource.PACK)
        await teller.grant(2, source=GrantSource.PLAN_DAILY, expires_at=LATER)

        held = await teller.hold(4)

        lines = await queries.hold_lines(teller.session, held.subject_id)
        assert [line.amount for line in lines] == [2, 2]
        assert [(g.source, g.free, g.held) for g in (await teller.balance()).grants] == [
            (GrantSource.PLAN_DAILY, 0, 2),
            (GrantSource.PACK, 1, 2),
        ]

    async def test_is_found_by_its_reference(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=1)
        held = await teller.hold(1, ref="a")

        found = await queries.hold_by_reference(
            session, wallet_id=teller.wallet_id, reference=render("a")
        )

        assert found == held.subject_id
        with pytest.raises(HoldNotFound):
            await queries.hold_by_reference(
                session, wallet_id=teller.wallet_id, reference=render("b")
            )

    @pytest.mark.parametrize("amount", [0, -1, 10**12 + 1])
    async def test_refuses_an_amount_that_nobody_means(self, teller: Teller, amount: int) -> None:
        with pytest.raises(InvalidAmount):
            await teller.hold(amount)

    async def test_refuses_a_parked_wallet(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=3)
        await wallets.park_wallet(session, wallet_id=teller.wallet_id, now=NOW)

        with pytest.raises(WalletParked):
            await teller.hold(1)


class TestCaptureHold:
    async def test_spends_what_was_held(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=10)
        held = await teller.hold(4)

        captured = await teller.capture(held.subject_id)

        assert (captured.kind, captured.amount) == (PostingKind.CAPTURE, 4)
        assert await teller.purse() == (6, 0)
        assert await queries.charge_of_hold(session, held.subject_id) == captured.transaction_id

    async def test_takes_a_part_and_gives_the_rest_back_to_where_it_came_from(
        self, teller: Teller
    ) -> None:
        await teller.grant(2, source=GrantSource.PLAN_DAILY, expires_at=LATER)
        await teller.grant(3, source=GrantSource.PACK)
        held = await teller.hold(5)

        captured = await teller.capture(held.subject_id, 3)

        assert (captured.amount, captured.available, captured.held) == (3, 2, 0)
        assert [(g.source, g.free) for g in (await teller.balance()).grants] == [
            (GrantSource.PACK, 2)
        ]
        lines = await queries.hold_lines(teller.session, held.subject_id)
        assert [(line.amount, line.captured) for line in lines] == [(2, 2), (3, 1)]

    async def test_answers_a_repetition_as_before(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=10)
        held = await teller.hold(4)
        first = await teller.capture(held.subject_id)
        await teller.consume(6)

        second = await teller.capture(held.subject_id)

        assert second.applied is False
        assert (second.transaction_id, second.available) == (first.transaction_id, 6)
        assert await teller.purse() == (0, 0)

    async def test_names_how_the_hold_ended_before(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=10)
        voided, captured = await teller.hold(1), await teller.hold(2)
        await teller.void(voided.subject_id)
        await teller.capture(captured.subject_id)

        with pytest.raises(HoldAlreadyResolved) as refused:
            await teller.capture(voided.subject_id)
        assert refused.value.code == "hold_already_voided"
        with pytest.raises(HoldAlreadyResolved) as refused:
            await teller.void(captured.subject_id)
        assert refused.value.code == "hold_already_captured"
        with pytest.raises(HoldAlreadyResolved) as refused:
            await teller.capture(captured.subject_id, 1)
        assert refused.value.code == "hold_already_captured"

    async def test_refuses_more_than_was_held(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=10)
        held = await teller.hold(4)

        with pytest.raises(CaptureExceedsHold):
            await teller.capture(held.subject_id, 5)

        assert await teller.purse() == (6, 4)

    async def test_knows_no_such_hold(self, teller: Teller) -> None:
        with pytest.raises(HoldNotFound):
            await teller.capture(new_id())

    async def test_goes_on_while_the_wallet_is_parked(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=3)
        held = await teller.hold(2)
        await wallets.park_wallet(session, wallet_id=teller.wallet_id, now=NOW)

        await teller.capture(held.subject_id)

        assert await teller.purse() == (1, 0)


class TestVoidHold:
    async def test_gives_everything_back_once(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=10)
        held = await teller.hold(4)

        first, second = await teller.void(held.subject_id), await teller.void(held.subject_id)

        assert (first.applied, second.applied) == (True, False)
        assert await teller.purse() == (10, 0)

    async def test_loses_what_belongs_to_a_grant_that_has_ended(self, teller: Teller) -> None:
        await teller.grant(3, source=GrantSource.PLAN_DAILY, expires_at=NOW + HOUR)
        await teller.grant(3, source=GrantSource.PACK)
        held = await teller.hold(4)
        teller.now = NOW + 2 * HOUR

        await teller.void(held.subject_id)

        assert await teller.purse() == (3, 0)
        expired = await teller.session.scalar(
            select(func.sum(LedgerEntry.amount)).where(LedgerEntry.account == Account.EXPIRED)
        )
        assert expired == 3

    async def test_works_at_the_wallets_time_when_a_clock_is_late(self, teller: Teller) -> None:
        await teller.grant(3, expires_at=NOW + HOUR)
        held = await teller.hold(3)
        teller.now = NOW + 2 * HOUR
        await teller.grant(1, source=GrantSource.PACK)

        teller.now = NOW  # another process, two hours behind
        await teller.void(held.subject_id)

        assert await teller.purse() == (1, 0)
