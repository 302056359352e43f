"""The price of a render in the ledger: held at admission, captured or released at the end."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger.errors import HoldAlreadyResolved
from medici.domain.ledger.models import HoldStatus
from medici.domain.ledger.service import holds
from medici.domain.ledger.values import Memo
from medici.domain.rendering.models import RenderJob


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
