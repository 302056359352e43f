import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger.audit import audit
from medici.domain.ledger.errors import (
    IdempotencyKeyReused,
    InsufficientCredits,
    InvalidAmount,
    WalletNotFound,
    WalletParked,
)
from medici.domain.ledger.models import GrantSource, LedgerTransaction, PostingKind, Wallet
from medici.domain.ledger.service import consume, wallets
from medici.kernel.errors import Kind
from medici.kernel.ids import new_id
from tests.domain.ledger.teller import HOUR, MEMO, NOW, Teller


class TestConsume:
    async def test_spends_in_burn_order(self, teller: Teller) -> None:
        await teller.grant(5, source=GrantSource.PACK)
        await teller.grant(2, source=GrantSource.PLAN_DAILY)

        spent = await teller.consume(3)

        assert (spent.kind, spent.amount, spent.available) == (PostingKind.CONSUME, 3, 4)
        assert [(g.source, g.free) for g in (await teller.balance()).grants] == [
            (GrantSource.PACK, 4)
        ]

    async def test_does_the_same_request_once(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=5)

        answers = [await teller.consume(2, key="k") for _ in range(3)]

        assert [answer.applied for answer in answers] == [True, False, False]
        assert {(a.transaction_id, a.available, a.held) for a in answers} == {
            (answers[0].transaction_id, 3, 0)
        }
        assert await teller.purse() == (3, 0)

    async def test_refuses_a_key_with_other_content(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=5)
        await teller.consume(2, key="k")

        with pytest.raises(IdempotencyKeyReused) as refused:
            await teller.consume(3, key="k")

        assert (refused.value.kind, refused.value.code) == (
            Kind.CONFLICT,
            "idempotency_key_reused",
        )
        assert await teller.purse() == (3, 0)

    async def test_takes_each_request_without_a_key_for_a_new_one(
        self, session: AsyncSession
    ) -> None:
        teller = await Teller.of(session, credits=5)

        await teller.consume(2)
        await teller.consume(2)

        assert await teller.purse() == (1, 0)

    async def test_keeps_the_keys_of_owners_apart(self, session: AsyncSession) -> None:
        ada, bob = await Teller.of(session, credits=5), await Teller.of(session, "bob", credits=5)

        await ada.consume(2, key="k")
        answer = await bob.consume(3, key="k")

        assert (answer.applied, answer.available) == (True, 2)

    async def test_leaves_nothing_behind_when_it_refuses(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=3)

        with pytest.raises(InsufficientCredits) as refused:
            await teller.consume(4, key="k")

        assert refused.value.kind is Kind.PAYMENT_REQUIRED
        assert await session.scalar(select(func.count()).select_from(LedgerTransaction)) == 1
        await teller.grant(1)
        assert (await teller.consume(4, key="k")).applied is True

    async def test_does_not_spend_what_has_ended(self, teller: Teller) -> None:
        await teller.grant(3, expires_at=NOW + HOUR)
        teller.now = NOW + HOUR

        with pytest.raises(InsufficientCredits) as refused:
            await teller.consume(1)

        assert refused.value.available == 0

    async def test_refuses_a_wallet_at_odds_with_its_grants(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=3)
        wallet = await session.get_one(Wallet, teller.wallet_id)
        wallet.available = 4
        await session.flush()

        with pytest.raises(WalletParked) as refused:
            await teller.consume(1)

        assert (refused.value.kind, refused.value.code) == (Kind.CONFLICT, "wallet_parked")

    @pytest.mark.parametrize("amount", [0, -3])
    async def test_refuses_an_amount_that_nobody_means(self, teller: Teller, amount: int) -> None:
        with pytest.raises(InvalidAmount):
            await teller.consume(amount)

    async def test_knows_no_such_wallet(self, session: AsyncSession) -> None:
        with pytest.raises(WalletNotFound):
            await consume.consume(session, wallet_id=new_id(), amount=1, memo=MEMO, now=NOW)


class TestAdjust:
    async def test_adds_and_takes_with_a_reason(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=3)

        added = await teller.adjust(4, key="a")
        taken = await teller.adjust(-5, key="b")

        assert (added.kind, added.available) == (PostingKind.ADJUST, 7)
        assert (taken.amount, taken.available) == (5, 2)
        assert await audit(session) == []

    async def test_happens_once(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=3)
        await teller.adjust(-2)

        assert (await teller.adjust(-2)).applied is False
        with pytest.raises(IdempotencyKeyReused):
            await teller.adjust(2)
        assert await teller.purse() == (1, 0)

    async def test_never_takes_more_than_there_is(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=3)

        with pytest.raises(InsufficientCredits):
            await teller.adjust(-4)

        assert await teller.purse() == (3, 0)

    async def test_can_add_to_a_parked_wallet_and_take_nothing(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=3)
        await wallets.park_wallet(session, wallet_id=teller.wallet_id, now=NOW)

        await teller.adjust(1, key="a")
        with pytest.raises(WalletParked):
            await teller.adjust(-1, key="b")

        assert await teller.purse() == (4, 0)
