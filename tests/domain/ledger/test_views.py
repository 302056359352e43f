import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger import views
from medici.domain.ledger.errors import WalletNotFound
from medici.domain.ledger.models import GrantSource, PostingKind
from medici.domain.ledger.values import Expiring
from medici.kernel.ids import new_id
from tests.domain.ledger.teller import HOUR, LATER, NOW, Teller


class TestBalance:
    async def test_shows_available_and_held_apart(self, teller: Teller) -> None:
        await teller.grant(5, source=GrantSource.PACK, ref="apple:1")
        await teller.grant(3, source=GrantSource.PLAN_DAILY, ref="today", expires_at=LATER)
        await teller.hold(1)

        balance = await teller.balance()

        assert (balance.available, balance.held) == (7, 1)
        assert balance.next_expiry == Expiring(amount=2, at=LATER)
        assert [(g.source_ref, g.amount, g.free, g.held) for g in balance.grants] == [
            ("today", 3, 2, 1),
            ("apple:1", 5, 5, 0),
        ]

    async def test_adds_up_what_ends_together(self, teller: Teller) -> None:
        await teller.grant(2, expires_at=NOW + HOUR)
        await teller.grant(3, source=GrantSource.TRIAL, expires_at=NOW + HOUR)
        await teller.grant(9, expires_at=LATER)

        assert (await teller.balance()).next_expiry == Expiring(amount=5, at=NOW + HOUR)

    async def test_is_exact_before_any_sweep(self, teller: Teller) -> None:
        await teller.grant(2, expires_at=NOW + HOUR)
        await teller.grant(3, effective_at=NOW + 2 * HOUR)

        seen = []
        for hours in range(3):
            teller.now = NOW + hours * HOUR
            seen.append(await teller.purse())

        assert seen == [(2, 0), (0, 0), (3, 0)]

    async def test_is_empty_for_a_new_wallet(self, teller: Teller) -> None:
        balance = await teller.balance()

        assert (balance.available, balance.held, balance.next_expiry, balance.grants) == (
            0,
            0,
            None,
            (),
        )

    async def test_knows_no_such_wallet(self, session: AsyncSession) -> None:
        with pytest.raises(WalletNotFound):
            await views.balance(session, wallet_id=new_id(), now=NOW)


class TestHistory:
    async def test_tells_what_changed_newest_first(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=10)
        held = await teller.hold(4, ref="a")
        await teller.capture(held.subject_id, 3)

        page = await views.history(session, wallet_id=teller.wallet_id)

        assert page.before is None
        assert [
            (i.seq, i.kind, i.available_change, i.held_change, i.available, i.held)
            for i in page.items
        ] == [
            (3, PostingKind.CAPTURE, 1, -4, 7, 0),
            (2, PostingKind.HOLD, -4, 4, 6, 4),
            (1, PostingKind.GRANT, 10, 0, 10, 0),
        ]
        assert [(i.actor, i.reason, i.ref, i.at) for i in page.items[:2]] == [
            ("user:ada", "render_final", "render_job:a", NOW)
        ] * 2

    async def test_pages_without_gap_or_overlap(self, session: AsyncSession) -> None:
        teller = await Teller.of(session, credits=10)
        for _ in range(4):
            await teller.consume(1)

        seen, before = [], None
        for _ in range(3):
            page = await views.history(session, wallet_id=teller.wallet_id, before=before, limit=2)
            seen.append([item.seq for item in page.items])
            before = page.before

        assert seen == [[5, 4], [3, 2], [1]]
        assert before is None

    async def test_shows_one_wallet_alone(self, session: AsyncSession) -> None:
        await Teller.of(session, credits=10)
        bob = await Teller.of(session, "bob")

        assert (await views.history(session, wallet_id=bob.wallet_id)).items == ()
