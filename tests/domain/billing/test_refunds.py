"""Refunds take back what they gave money back for, as far as it is there."""

from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.billing.models import StoreTransaction
from medici.domain.billing.policy import Clawback, StorePolicy
from medici.domain.billing.service.sweep import collect_unrecovered, settle_uncredited
from medici.domain.events.models import Event
from medici.domain.identity.owner import Owner
from medici.domain.ledger.audit import audit
from medici.domain.ledger.models import GrantSource, Wallet
from medici.domain.ledger.queries import wallet_by_owner
from medici.domain.ledger.service.consume import consume
from medici.domain.ledger.service.grants import issue_grant
from medici.domain.ledger.service.holds import place_hold, void_hold
from medici.domain.ledger.values import GrantTerms, Memo, Reference
from medici.domain.plans.models import Pack
from medici.kernel.environment import Environment
from tests.domain.billing.books import POLICY, take
from tests.domain.billing.histories import DAY, NOW, Line, pack

MEMO = Memo(actor="ada", reason="test")
IOS = Line()


async def wallet_of(
    session: AsyncSession, environment: Environment = Environment.PRODUCTION
) -> Wallet:
    wallet = await wallet_by_owner(session, owner=Owner.user("ada"), environment=environment)
    assert wallet is not None
    return wallet


async def available(session: AsyncSession) -> int:
    return (await wallet_of(session)).available


async def payment(session: AsyncSession, transaction_id: str) -> StoreTransaction:
    found = await session.scalars(
        select(StoreTransaction)
        .where(StoreTransaction.transaction_id == transaction_id)
        .execution_options(populate_existing=True)
    )
    return found.one()


class TestRefund:
    async def test_takes_the_period_s_credits_and_gives_them_again(
        self, shop: AsyncSession
    ) -> None:
        await take(shop, IOS.paid(2))
        assert await available(shop) == 100

        await take(shop, IOS.refunded(2))
        assert await available(shop) == 0

        await take(shop, IOS.refunded(2, reversed_=True))
        assert await available(shop) == 100
        paid = await payment(shop, "o1.2")
        assert (paid.revoked_credits, paid.unrecovered_credits) == (0, 0)
        assert await audit(shop) == []

    async def test_of_a_part_is_rounded_up(self, shop: AsyncSession) -> None:
        await take(shop, IOS.paid(2))

        await take(shop, IOS.refunded(2, share=Fraction(1, 3)))

        assert await available(shop) == 66
        assert (await payment(shop, "o1.2")).refunded_minor == 500

    async def test_never_makes_a_balance_negative(self, shop: AsyncSession) -> None:
        await take(shop, IOS.paid(2))
        wallet = await wallet_of(shop)
        await consume(shop, wallet_id=wallet.id, amount=70, memo=MEMO, now=NOW)

        await take(shop, IOS.refunded(2))

        paid = await payment(shop, "o1.2")
        assert await available(shop) == 0
        assert (paid.revoked_credits, paid.unrecovered_credits) == (30, 70)

    async def test_takes_what_a_hold_gives_back(self, shop: AsyncSession) -> None:
        await take(shop, IOS.paid(2))
        wallet = await wallet_of(shop)
        hold = await place_hold(
            shop,
            wallet_id=wallet.id,
            amount=40,
            reference=Reference(kind="render_job", id="r1"),
            expires_at=NOW + DAY,
            memo=MEMO,
            now=NOW,
        )
        await take(shop, IOS.refunded(2))
        assert (await payment(shop, "o1.2")).unrecovered_credits == 40
        await void_hold(shop, hold_id=hold.subject_id, memo=MEMO, now=NOW)

        await collect_unrecovered(shop, policy=POLICY, now=NOW)

        paid = await payment(shop, "o1.2")
        assert await available(shop) == 0
        assert (paid.revoked_credits, paid.unrecovered_credits) == (100, 0)

    async def test_can_be_paid_for_by_later_gifts(self, shop: AsyncSession) -> None:
        recover = StorePolicy(clawback=Clawback.RECOVER)
        await take(shop, IOS.paid(2))
        wallet = await wallet_of(shop)
        await consume(shop, wallet_id=wallet.id, amount=100, memo=MEMO, now=NOW)
        await take(shop, IOS.refunded(2), policy=recover)
        gift = GrantTerms(source=GrantSource.PROMO, source_ref="spring", amount=30)
        await issue_grant(shop, wallet_id=wallet.id, terms=gift, memo=MEMO, now=NOW + DAY)
        bought = GrantTerms(source=GrantSource.PACK, source_ref="other", amount=5)
        await issue_grant(shop, wallet_id=wallet.id, terms=bought, memo=MEMO, now=NOW + DAY)

        for _ in range(2):
            await collect_unrecovered(shop, policy=recover, now=NOW + 2 * DAY)

        paid = await payment(shop, "o1.2")
        assert await available(shop) == 5
        assert (paid.unrecovered_credits, paid.recovered_credits) == (70, 30)

    async def test_that_comes_before_its_payment_waits_for_it(self, shop: AsyncSession) -> None:
        await take(shop, IOS.refunded(2))

        await take(shop, IOS.paid(2))

        assert await available(shop) == 0
        assert (await payment(shop, "o1.2")).revoked_credits == 100

    async def test_is_reported_once(self, shop: AsyncSession) -> None:
        for news in (IOS.refunded(2), IOS.paid(2), IOS.canceled(2)):
            await take(shop, news)

        told = await shop.scalars(select(Event).where(Event.name == "purchase_refunded"))
        assert [event.user_id for event in told] == ["ada"]


class TestCredits:
    async def test_of_a_pack_never_expire(self, shop: AsyncSession) -> None:
        await take(shop, pack("p1", quantity=3))

        assert await available(shop) == 300
        paid = await payment(shop, "p1")
        assert (paid.pack_id, paid.credits, paid.lineage_id) == ("hundred", 300, None)

    async def test_of_a_trial_are_the_trial_s(self, shop: AsyncSession) -> None:
        await take(shop, Line(start=NOW - DAY).trial())

        assert await available(shop) == 10

    async def test_of_the_sandbox_stay_there(self, shop: AsyncSession) -> None:
        await take(shop, Line(environment=Environment.SANDBOX).paid(2))

        assert (await wallet_of(shop, Environment.SANDBOX)).available == 100
        assert await wallet_by_owner(shop, owner=Owner.user("ada")) is None

    async def test_last_as_long_as_the_store_lets_the_period_last(self, shop: AsyncSession) -> None:
        await take(shop, IOS.paid(1))
        assert await available(shop) == 0  # that period is over

        await take(shop, IOS.extended(1, 60 * DAY))

        assert await available(shop) == 100
        assert await audit(shop) == []

    async def test_of_a_period_that_an_upgrade_cut_short_go_in_part(
        self, shop: AsyncSession
    ) -> None:
        await take(shop, IOS.paid(2))

        await take(shop, IOS.upgraded("basic_ios", 2, after=15 * DAY))

        assert await available(shop) == 50 + 30

    async def test_are_given_once_its_product_is_known(self, shop: AsyncSession) -> None:
        await take(shop, pack("p1", product_id="new_pack"))
        assert await wallet_by_owner(shop, owner=Owner.user("ada")) is None
        hundred = await shop.get_one(Pack, "hundred")
        hundred.ios_product_id = "new_pack"
        await shop.flush()

        for _ in range(2):
            await settle_uncredited(shop, policy=POLICY, now=NOW)

        assert await available(shop) == 100
