"""The price of a render in the ledger: held at admission, charged or released at the end."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger.errors import HoldAlreadyResolved
from medici.domain.ledger.models import HoldStatus
from medici.domain.ledger.service import holds
from medici.domain.ledger.values import Memo
from medici.domain.rendering.models import RenderJob
from medici.domain.rendering.rows import JobRow


async def release_price(
    session: AsyncSession, job: RenderJob, *, reason: str, now: datetime
) -> None:
    """Give back what was set aside, since there will be no picture."""
    if job.hold_id is None:
        return
    try:
        await holds.void_hold(session, hold_id=job.hold_id, memo=price_memo(job, reason), now=now)
    except HoldAlreadyResolved as resolved:
        if resolved.status is not HoldStatus.EXPIRED:  # an expired hold went back by itself
            raise


def price_memo(job: RenderJob | JobRow, reason: str) -> Memo:
    """Say who pays, and for what."""
    return Memo(actor=f"user:{job.user_id}", reason=reason)
