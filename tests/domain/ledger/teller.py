"""A teller who serves one wallet: short commands with defaults, at a time that tests choose."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.owner import Owner
from medici.domain.ledger import views
from medici.domain.ledger.models import GrantSource
from medici.domain.ledger.service import consume, grants, holds, refunds, wallets
from medici.domain.ledger.values import Balance, GrantTerms, Memo, Posted, Reference
from medici.kernel.ids import new_id

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = NOW + 24 * HOUR
MEMO = Memo(actor="user:ada", reason="render_final")


class Teller:
    """Serves one wallet. ``now`` may be moved."""

    def __init__(self, session: AsyncSession, wallet_id: UUID) -> None:
        self.session = session
        self.wallet_id = wallet_id
        self.now = NOW

    @classmethod
    async def of(cls, session: AsyncSession, user: str = "ada", *, credits: int = 0) -> "Teller":
        """Open a user's wallet, with a pack that never ends if it shall hold something."""
        wallet_id = await wallets.open_wallet(session, owner=Owner.user(user), now=NOW)
        teller = cls(session, wallet_id)
        if credits:
            await teller.grant(credits, source=GrantSource.PACK)
        return teller

    async def grant(
        self,
        amount: int,
        *,
        source: GrantSource = GrantSource.PROMO,
        ref: str | None = None,
        effective_at: datetime | None = None,
        expires_at: datetime | None = None,
    ) -> Posted:
        terms = terms_of(
            amount, source=source, ref=ref, effective_at=effective_at, expires_at=expires_at
        )
        return await grants.issue_grant(
            self.session, wallet_id=self.wallet_id, terms=terms, memo=MEMO, now=self.now
        )

    async def consume(self, amount: int, *, key: str | None = None) -> Posted:
        return await consume.consume(
            self.session,
            wallet_id=self.wallet_id,
            amount=amount,
            memo=MEMO,
            key=key,
            now=self.now,
        )

    async def adjust(self, change: int, *, key: str = "slip") -> Posted:
        return await consume.adjust(
            self.session,
            wallet_id=self.wallet_id,
            change=change,
            memo=Memo(actor="operator:root", reason="complaint"),
            key=key,
            now=self.now,
        )

    async def hold(
        self, amount: int, *, ref: str | None = None, expires_at: datetime = LATER
    ) -> Posted:
        return await holds.place_hold(
            self.session,
            wallet_id=self.wallet_id,
            amount=amount,
            reference=render(ref or new_id().hex),
            expires_at=expires_at,
            memo=MEMO,
            now=self.now,
        )

    async def capture(self, hold_id: UUID, amount: int | None = None) -> Posted:
        return await holds.capture_hold(
            self.session, hold_id=hold_id, amount=amount, memo=MEMO, now=self.now
        )

    async def void(self, hold_id: UUID) -> Posted:
        return await holds.void_hold(self.session, hold_id=hold_id, memo=MEMO, now=self.now)

    async def expire(self, hold_id: UUID) -> Posted | None:
        return await holds.expire_hold(self.session, hold_id=hold_id, now=self.now)

    async def settle(self, hold_id: UUID, amount: int | None = None) -> Posted:
        return await holds.settle_hold(
            self.session, hold_id=hold_id, amount=amount, memo=MEMO, now=self.now
        )

    async def refund(
        self, transaction_id: UUID, amount: int | None = None, *, key: str = "failed"
    ) -> Posted:
        return await refunds.refund(
            self.session,
            transaction_id=transaction_id,
            amount=amount,
            memo=MEMO,
            key=key,
            now=self.now,
        )

    async def revoke(self, grant_id: UUID, amount: int, *, key: str = "chargeback") -> Posted:
        return await grants.revoke_grant(
            self.session, grant_id=grant_id, amount=amount, memo=MEMO, key=key, now=self.now
        )

    async def balance(self) -> Balance:
        return await views.balance(self.session, wallet_id=self.wallet_id, now=self.now)

    async def purse(self) -> tuple[int, int]:
        """Return what is available and what is held."""
        balance = await self.balance()
        return balance.available, balance.held


def terms_of(
    amount: int,
    *,
    source: GrantSource = GrantSource.PROMO,
    ref: str | None = None,
    effective_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> GrantTerms:
    return GrantTerms(
        source=source,
        source_ref=ref or new_id().hex,
        amount=amount,
        effective_at=effective_at,
        expires_at=expires_at,
    )


def render(job: str) -> Reference:
    return Reference(kind="render_job", id=job)
