"""The price of a render in the ledger: held at admission, captured or released at the end."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.owner import Owner
from medici.domain.ledger.errors import HoldAlreadyResolved, InsufficientCredits
from medici.domain.ledger.models import HoldStatus
from medici.domain.ledger.service import holds, wallets
from medici.domain.ledger.values import Memo, Reference
from medici.domain.rendering.errors import CreditsMissing
from medici.domain.rendering.models import RenderJob
from medici.domain.rendering.rules import HOLD_LIFETIME


async def hold_price(session: AsyncSession, job: RenderJob, *, now: datetime) -> None:
    """Set the job's price aside; nothing happens for a free one.

    Raises:
        CreditsMissing: the wallet does not cover it.
    """
    if job.credits == 0:
        return
    wallet_id = await wallets.open_wallet(session, owner=Owner.user(job.user_id), now=now)
    try:
        held = await holds.place_hold(
            session,
            wallet_id=wallet_id,
            amount=job.credits,
            reference=Reference(kind="render_job", id=str(job.id)),
            expires_at=now + HOLD_LIFETIME,
            memo=_memo(job, f"render_{job.tier}"),
            now=now,
        )
    except InsufficientCredits as missing:
        raise CreditsMissing(str(missing)) from missing
    job.hold_id = held.subject_id


async def capture_price(session: AsyncSession, job: RenderJob, *, now: datetime) -> None:
    """Take what was set aside, since the picture is there."""
    if job.hold_id is not None:
        memo = _memo(job, f"render_{job.tier}")
        await holds.settle_hold(session, hold_id=job.hold_id, memo=memo, now=now)


async def release_price(
    session: AsyncSession, job: RenderJob, *, reason: str, now: datetime
) -> None:
    """Give back what was set aside, since there will be no picture."""
    if job.hold_id is None:
        return
    try:
        await holds.void_hold(session, hold_id=job.hold_id, memo=_memo(job, reason), now=now)
    except HoldAlreadyResolved as resolved:
        if resolved.status is not HoldStatus.EXPIRED:  # an expired hold went back by itself
            raise


def _memo(job: RenderJob, reason: str) -> Memo:
    return Memo(actor=f"user:{job.user_id}", reason=reason)
