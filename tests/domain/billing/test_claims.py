"""A client shows what its store has signed: whose it becomes, and what comes along."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import Buyer
from medici.domain.billing.account_tokens import account_token
from medici.domain.billing.errors import NothingToClaim, PurchaseOfAnother
from medici.domain.billing.models import Purchase
from medici.domain.billing.policy import StorePolicy, Transfers
from medici.domain.billing.queries import effective_plan
from medici.domain.identity.owner import Owner
from medici.domain.identity.service import ensure_user
from medici.domain.ledger.audit import audit
from medici.domain.ledger.queries import wallet_by_owner
from medici.domain.ledger.service.consume import consume
from medici.domain.ledger.values import Memo
from tests.domain.billing.books import show, take
from tests.domain.billing.histories import NOW, Line, pack

NOBODY_S = Line(buyer=Buyer())
MEMO = Memo(actor="ada", reason="test")


async def plan_of(session: AsyncSession, user_id: str) -> str:
    return (await effective_plan(session, owner=Owner.user(user_id), now=NOW)).plan_id


async def credits_of(session: AsyncSession, user_id: str) -> int:
    wallet = await wallet_by_owner(session, owner=Owner.user(user_id))
    return wallet.available if wallet else 0


class TestClaim:
    async def test_takes_what_nobody_has(self, shop: AsyncSession) -> None:
        assert (await take(shop, NOBODY_S.paid(2))).message == "unclaimed"

        assert (await show(shop, "ada", NOBODY_S.paid(2))).message == "processed"

        assert (await plan_of(shop, "ada"), await credits_of(shop, "ada")) == ("pro", 100)

    async def test_comes_before_the_store_s_own_message(self, shop: AsyncSession) -> None:
        await show(shop, "ada", NOBODY_S.paid(2))

        await take(shop, NOBODY_S.paid(2))
        await take(shop, NOBODY_S.canceled(2))

        assert (await plan_of(shop, "ada"), await credits_of(shop, "ada")) == ("pro", 100)

    async def test_twice_is_once(self, shop: AsyncSession) -> None:
        await show(shop, "ada", NOBODY_S.paid(2))

        assert (await show(shop, "ada", NOBODY_S.paid(2))).message == "duplicate_event"

    async def test_moves_what_no_store_has_bound_with_its_unspent_credits(
        self, shop: AsyncSession
    ) -> None:
        await show(shop, "ada", NOBODY_S.paid(2))
        wallet = await wallet_by_owner(shop, owner=Owner.user("ada"))
        assert wallet is not None
        await consume(shop, wallet_id=wallet.id, amount=30, memo=MEMO, now=NOW)

        await show(shop, "bob", NOBODY_S.paid(2))
        moved = {user: await credits_of(shop, user) for user in ("ada", "bob")}
        await show(shop, "ada", NOBODY_S.paid(2))
        back = {user: await credits_of(shop, user) for user in ("ada", "bob")}

        assert (moved, back) == ({"ada": 0, "bob": 70}, {"ada": 70, "bob": 0})
        assert (await plan_of(shop, "ada"), await plan_of(shop, "bob")) == ("pro", "free")
        assert await audit(shop) == []

    async def test_that_moves_a_purchase_is_no_old_news(self, shop: AsyncSession) -> None:
        await show(shop, "ada", NOBODY_S.paid(2))
        await take(shop, NOBODY_S.canceled(2))  # told later than what is shown

        answers = [(await show(shop, user, NOBODY_S.paid(2))).message for user in ("bob", "ada")]

        assert answers == ["processed", "processed"]
        assert (await plan_of(shop, "ada"), await plan_of(shop, "bob")) == ("pro", "free")

    async def test_of_what_nobody_has_is_no_old_news(self, shop: AsyncSession) -> None:
        await take(shop, NOBODY_S.canceled(2))

        assert (await show(shop, "ada", NOBODY_S.paid(2))).message == "processed"
        assert await plan_of(shop, "ada") == "pro"

    async def test_of_one_s_own_is_old_news_once_more_was_told(self, shop: AsyncSession) -> None:
        await take(shop, Line().canceled(2))

        assert (await show(shop, "ada", NOBODY_S.paid(2))).message == "stale_event"

    @pytest.mark.parametrize("transfers", [None, Transfers.KEEP])
    async def test_leaves_what_the_store_says_is_another_s(
        self, shop: AsyncSession, transfers: Transfers | None
    ) -> None:
        await take(shop, Line(user_id="ada").paid(2))

        with pytest.raises(PurchaseOfAnother):
            await show(shop, "bob", NOBODY_S.paid(2), StorePolicy(transfers=transfers))

        assert (await plan_of(shop, "ada"), await plan_of(shop, "bob")) == ("pro", "free")

    async def test_keeps_what_was_claimed_where_nothing_moves(self, shop: AsyncSession) -> None:
        keep = StorePolicy(transfers=Transfers.KEEP)
        await show(shop, "ada", NOBODY_S.paid(2), keep)

        with pytest.raises(PurchaseOfAnother):
            await show(shop, "bob", NOBODY_S.paid(2), keep)

    async def test_moves_only_what_does_not_last_if_so_decided(self, shop: AsyncSession) -> None:
        idle = StorePolicy(transfers=Transfers.TRANSFER_IF_INACTIVE)
        await show(shop, "ada", NOBODY_S.paid(1), idle)
        await show(shop, "bob", NOBODY_S.paid(1), idle)
        await show(shop, "bob", NOBODY_S.paid(2), idle)

        with pytest.raises(PurchaseOfAnother):
            await show(shop, "ada", NOBODY_S.paid(2), idle)

        assert await plan_of(shop, "bob") == "pro"

    async def test_is_refused_where_the_store_names_another_by_token(
        self, shop: AsyncSession
    ) -> None:
        await ensure_user(shop, user_id="ada", now=NOW)
        token = await account_token(shop, user_id="ada")
        bound = Line(buyer=Buyer(account_token=str(token).upper()))

        with pytest.raises(PurchaseOfAnother):
            await show(shop, "bob", bound.paid(2))

        assert (await take(shop, bound.paid(2))).message == "processed"
        assert await plan_of(shop, "ada") == "pro"
        assert await account_token(shop, user_id="ada") == token

    async def test_takes_a_pack_once_and_for_good(self, shop: AsyncSession) -> None:
        bought = pack("p1", user_id=None)
        await take(shop, bought)

        await show(shop, "ada", bought)

        assert await credits_of(shop, "ada") == 100
        with pytest.raises(PurchaseOfAnother):
            await show(shop, "bob", bought)

    async def test_of_nothing_is_refused(self, shop: AsyncSession) -> None:
        with pytest.raises(NothingToClaim):
            await show(shop, "ada", NOBODY_S.news("test", NOW))

    async def test_a_checkout_tells_whose_an_earlier_purchase_is(self, shop: AsyncSession) -> None:
        await take(shop, Line(buyer=Buyer(customer_id="cus_1")).paid(2))
        checkout = Line(lineage_id="cs_1", buyer=Buyer(customer_id="cus_1", user_id="ada"))

        await take(shop, checkout.news("checkout", NOW))

        assert (await plan_of(shop, "ada"), await credits_of(shop, "ada")) == ("pro", 100)
        assert (await shop.scalars(select(Purchase))).one().user_id == "ada"
