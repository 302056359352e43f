import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger.audit import audit
from medici.domain.ledger.errors import (
    GrantAlreadyThere,
    GrantNotFound,
    IdempotencyKeyReused,
    InsufficientCredits,
)
from medici.domain.ledger.models import Grant, GrantSource, LedgerTransaction, PostingKind
from medici.domain.ledger.service import grants
from medici.domain.ledger.values import Posted
from medici.kernel.ids import new_id
from tests.domain.ledger.teller import HOUR, LATER, MEMO, NOW, Teller, terms_of

TODAY, TOMORROW = "2026-11-24", "2026-11-25"


async def renew(teller: Teller, amount: int, day: str = TODAY) -> Posted:
    return await grants.renew_grant(
        teller.session,
        wallet_id=teller.wallet_id,
        terms=terms_of(amount, source=GrantSource.PLAN_DAILY, ref=day, expires_at=LATER),
        memo=MEMO,
        now=teller.now,
    )


async def top_up(teller: Teller, target: int, plan: str) -> Posted | None:
    return await grants.top_up_grant(
        teller.session,
        wallet_id=teller.wallet_id,
        terms=terms_of(
            target, source=GrantSource.PLAN_DAILY, ref=f"{TODAY}:{plan}", expires_at=LATER
        ),
        period=TODAY,
        memo=MEMO,
        now=teller.now,
    )


class TestIssueGrant:
    async def test_gives_credits_once_per_source_and_reference(self, teller: Teller) -> None:
        first = await teller.grant(5, source=GrantSource.PACK, ref="apple:1")
        again = await teller.grant(5, source=GrantSource.PACK, ref="apple:1")
        other = await teller.grant(5, source=GrantSource.PROMO, ref="apple:1")

        assert [first.applied, again.applied, other.applied] == [True, False, True]
        assert again.subject_id == first.subject_id
        assert await teller.purse() == (10, 0)

    async def test_refuses_the_same_reference_with_another_amount(self, teller: Teller) -> None:
        await teller.grant(5, ref="spring")

        with pytest.raises(IdempotencyKeyReused):
            await teller.grant(6, ref="spring")

    async def test_counts_from_its_time_on(self, teller: Teller) -> None:
        given = await teller.grant(5, effective_at=NOW + HOUR, expires_at=LATER)
        assert (given.available, await teller.purse()) == (0, (0, 0))
        with pytest.raises(InsufficientCredits):
            await teller.consume(1)

        teller.now = NOW + HOUR
        assert await teller.purse() == (5, 0)
        spent = await teller.consume(1)

        assert spent.available == 4
        kinds = await teller.session.scalars(
            select(LedgerTransaction.kind).order_by(LedgerTransaction.wallet_seq)
        )
        assert list(kinds) == [PostingKind.GRANT, PostingKind.ACTIVATE, PostingKind.CONSUME]

    async def test_expires_at_once_when_it_comes_too_late(self, teller: Teller) -> None:
        given = await teller.grant(5, source=GrantSource.PLAN_PERIOD, expires_at=NOW - HOUR)

        assert (given.amount, given.available) == (5, 0)
        assert await teller.purse() == (0, 0)
        assert await audit(teller.session) == []


class TestRenewGrant:
    async def test_replaces_the_rest_of_yesterday_and_nothing_else(self, teller: Teller) -> None:
        await teller.grant(7, source=GrantSource.PACK)
        await renew(teller, 3, TODAY)
        await teller.consume(1)

        renewed = await renew(teller, 3, TOMORROW)

        assert renewed.available == 10
        assert [(g.source, g.source_ref, g.free) for g in (await teller.balance()).grants][:1] == [
            (GrantSource.PLAN_DAILY, TOMORROW, 3)
        ]

    async def test_gives_each_day_once(self, teller: Teller) -> None:
        await renew(teller, 3)
        await teller.consume(2)

        again = await renew(teller, 3)

        assert again.applied is False
        assert await teller.purse() == (1, 0)

    async def test_keeps_what_is_held_until_the_hold_ends(self, teller: Teller) -> None:
        await renew(teller, 3, TODAY)
        held = await teller.hold(2)

        await renew(teller, 3, TOMORROW)
        assert await teller.purse() == (3, 2)
        await teller.void(held.subject_id)

        assert await teller.purse() == (3, 0)  # yesterday's part is lost with its day
        assert await audit(teller.session) == []

    async def test_spares_a_top_up_of_the_same_day(self, teller: Teller) -> None:
        await top_up(teller, 5, "pro")

        await renew(teller, 3)

        assert await teller.purse() == (8, 0)


class TestTopUpGrant:
    async def test_adds_the_difference_once(self, teller: Teller) -> None:
        await renew(teller, 3)
        await teller.consume(3)

        first, again = await top_up(teller, 80, "pro"), await top_up(teller, 80, "pro")

        assert first is not None
        assert again is not None
        assert (first.amount, first.applied, again.applied) == (77, True, False)
        assert await teller.purse() == (77, 0)

    async def test_counts_earlier_top_ups_and_never_takes_away(self, teller: Teller) -> None:
        await renew(teller, 3)
        await top_up(teller, 10, "plus")

        assert await top_up(teller, 5, "mini") is None
        raised = await top_up(teller, 15, "pro")

        assert raised is not None
        assert (raised.amount, raised.available) == (5, 15)


class TestRevokeGrant:
    async def test_takes_what_is_free_and_no_more(self, teller: Teller) -> None:
        bought = await teller.grant(10, source=GrantSource.PACK)
        await teller.grant(5, source=GrantSource.PROMO)
        await teller.consume(8)
        await teller.hold(4)

        revoked = await teller.revoke(bought.subject_id, 10)
        again = await teller.revoke(bought.subject_id, 10)

        assert (revoked.kind, revoked.amount) == (PostingKind.REVOKE, 3)
        assert (again.amount, again.applied) == (3, False)
        assert await teller.purse() == (0, 4)

    async def test_takes_a_part(self, teller: Teller) -> None:
        bought = await teller.grant(10, source=GrantSource.PACK)

        assert (await teller.revoke(bought.subject_id, 4)).available == 6

    async def test_records_that_nothing_was_left(self, teller: Teller) -> None:
        bought = await teller.grant(2, source=GrantSource.PACK)
        await teller.consume(2)

        revoked = await teller.revoke(bought.subject_id, 2)

        assert (revoked.amount, revoked.available) == (0, 0)
        assert await audit(teller.session) == []

    async def test_knows_no_such_grant(self, teller: Teller) -> None:
        with pytest.raises(GrantNotFound):
            await teller.revoke(new_id(), 1)


class TestMoveGrant:
    async def test_takes_the_rest_to_another_owner_once(self, session: AsyncSession) -> None:
        ada, bob = await Teller.of(session), await Teller.of(session, "bob")
        period = await ada.grant(
            10, source=GrantSource.PLAN_PERIOD, ref="apple:1", expires_at=LATER
        )
        await ada.consume(4)

        moved, again = [
            await grants.move_grant(
                session,
                grant_id=period.subject_id,
                to_wallet_id=bob.wallet_id,
                memo=MEMO,
                now=NOW,
            )
            for _ in range(2)
        ]

        assert moved.issued is not None
        assert again.issued is not None
        assert (moved.revoked.amount, moved.issued.amount) == (6, 6)
        assert (again.revoked.applied, again.issued.applied) == (False, False)
        assert (await ada.purse(), await bob.purse()) == ((0, 0), (6, 0))
        arrived = await session.get_one(Grant, moved.issued.subject_id)
        assert (arrived.source_ref, arrived.expires_at) == ("apple:1", LATER)
        assert await audit(session) == []

    async def test_moves_nothing_when_all_is_spent(self, session: AsyncSession) -> None:
        ada, bob = await Teller.of(session), await Teller.of(session, "bob")
        period = await ada.grant(1, source=GrantSource.PLAN_PERIOD)
        await ada.consume(1)

        moved = await grants.move_grant(
            session, grant_id=period.subject_id, to_wallet_id=bob.wallet_id, memo=MEMO, now=NOW
        )

        assert (moved.revoked.amount, moved.issued) == (0, None)

    async def test_does_not_move_to_where_it_came_from(self, teller: Teller) -> None:
        period = await teller.grant(1, source=GrantSource.PLAN_PERIOD)

        with pytest.raises(GrantAlreadyThere):
            await grants.move_grant(
                teller.session,
                grant_id=period.subject_id,
                to_wallet_id=teller.wallet_id,
                memo=MEMO,
                now=NOW,
            )

        assert await teller.purse() == (1, 0)
