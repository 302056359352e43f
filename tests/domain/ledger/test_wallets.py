import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.owner import Owner, OwnerKind
from medici.domain.ledger import queries
from medici.domain.ledger.errors import WalletParked
from medici.domain.ledger.service import wallets
from medici.kernel.environment import Environment
from tests.domain.ledger.teller import HOUR, NOW, Teller


class TestOpenWallet:
    async def test_opens_one_empty_wallet_per_owner(self, session: AsyncSession) -> None:
        owner = Owner(kind=OwnerKind.SHOP, id="a.myshopify.com")

        first = await wallets.open_wallet(session, owner=owner, now=NOW)
        second = await wallets.open_wallet(session, owner=owner, now=NOW + HOUR)

        wallet = await queries.wallet_by_owner(session, owner=owner)
        assert wallet is not None
        assert first == second == wallet.id
        assert (wallet.available, wallet.held, wallet.seq, wallet.last_at) == (0, 0, 0, NOW)

    async def test_keeps_owners_and_environments_apart(self, session: AsyncSession) -> None:
        user, shop = Owner(kind=OwnerKind.USER, id="a"), Owner(kind=OwnerKind.SHOP, id="a")

        opened = {
            await wallets.open_wallet(session, owner=user, now=NOW),
            await wallets.open_wallet(session, owner=shop, now=NOW),
            await wallets.open_wallet(
                session, owner=user, environment=Environment.SANDBOX, now=NOW
            ),
        }

        assert len(opened) == 3
        assert await queries.wallet_by_owner(session, owner=Owner.user("b")) is None


class TestParkWallet:
    async def test_stops_spending_until_it_is_taken_back(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=3)

        await wallets.park_wallet(session, wallet_id=teller.wallet_id, now=NOW)
        await wallets.park_wallet(session, wallet_id=teller.wallet_id, now=NOW + HOUR)
        wallet = await queries.locked_wallet(session, teller.wallet_id)
        assert wallet.parked_at == NOW
        with pytest.raises(WalletParked):
            await teller.consume(1)

        await wallets.unpark_wallet(session, wallet_id=teller.wallet_id)
        assert (await teller.consume(1)).available == 2
