from datetime import timedelta

import pytest
from sqlalchemy import select

from medici.domain.ledger.audit import audit
from medici.domain.ledger.errors import (
    IdempotencyKeyReused,
    RefundExceedsCharge,
    TransactionNotFound,
)
from medici.domain.ledger.models import Grant, GrantSource, PostingKind
from medici.kernel.ids import new_id
from tests.domain.ledger.teller import HOUR, NOW, Teller


class TestRefund:
    async def test_returns_credits_to_the_grants_they_came_from(self, teller: Teller) -> None:
        await teller.grant(2, source=GrantSource.PROMO)
        await teller.grant(5, source=GrantSource.PACK)
        held = await teller.hold(4)
        charge = await teller.capture(held.subject_id)

        refunded = await teller.refund(charge.transaction_id)

        assert (refunded.kind, refunded.amount, refunded.available) == (PostingKind.REFUND, 4, 7)
        assert [g.free for g in (await teller.balance()).grants] == [2, 5]
        assert await audit(teller.session) == []

    async def test_returns_the_last_burnt_first(self, teller: Teller) -> None:
        await teller.grant(2, source=GrantSource.PROMO)
        await teller.grant(5, source=GrantSource.PACK)
        charge = await teller.consume(4)

        await teller.refund(charge.transaction_id, 3)

        assert [(g.source, g.free) for g in (await teller.balance()).grants] == [
            (GrantSource.PROMO, 1),
            (GrantSource.PACK, 5),
        ]

    async def test_replaces_what_has_ended_by_a_grant_of_thirty_days(self, teller: Teller) -> None:
        await teller.grant(3, source=GrantSource.PLAN_DAILY, expires_at=NOW + HOUR)
        await teller.grant(1, source=GrantSource.PACK)
        charge = await teller.consume(4)
        teller.now = NOW + HOUR

        await teller.refund(charge.transaction_id)

        assert [(g.source, g.free) for g in (await teller.balance()).grants] == [
            (GrantSource.REFUND, 3),
            (GrantSource.PACK, 1),
        ]
        ends = await teller.session.scalar(
            select(Grant.expires_at).where(Grant.source == GrantSource.REFUND)
        )
        assert ends == NOW + HOUR + timedelta(days=30)
        assert await audit(teller.session) == []

    async def test_happens_once_per_key(self, teller: Teller) -> None:
        await teller.grant(5)
        charge = await teller.consume(4)
        first = await teller.refund(charge.transaction_id, 1)

        again = await teller.refund(charge.transaction_id, 1)

        assert (again.applied, again.transaction_id) == (False, first.transaction_id)
        assert await teller.purse() == (2, 0)
        with pytest.raises(IdempotencyKeyReused):
            await teller.refund(charge.transaction_id, 2)

    async def test_never_gives_back_more_than_was_taken(self, teller: Teller) -> None:
        await teller.grant(5)
        charge = await teller.consume(4)
        await teller.refund(charge.transaction_id, 3, key="a")

        with pytest.raises(RefundExceedsCharge):
            await teller.refund(charge.transaction_id, 2, key="b")
        await teller.refund(charge.transaction_id, key="c")
        with pytest.raises(RefundExceedsCharge):
            await teller.refund(charge.transaction_id, key="d")

        assert await teller.purse() == (5, 0)

    async def test_has_nothing_to_give_back_of_a_grant(self, teller: Teller) -> None:
        given = await teller.grant(5)

        with pytest.raises(RefundExceedsCharge):
            await teller.refund(given.transaction_id)

    async def test_knows_no_such_transaction(self, teller: Teller) -> None:
        with pytest.raises(TransactionNotFound):
            await teller.refund(new_id())
