"""Submitting one render, in the caller's transaction: a batch of one."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.rendering.orders import Application, ImageSource, RenderOrder
from medici.domain.rendering.rows import JobRow
from medici.domain.rendering.service.admission.admit import admit
from medici.kernel.ids import new_id

__all__ = ["ImageSource", "RenderOrder", "submit"]


async def submit(
    session: AsyncSession,
    *,
    user_id: str,
    order: RenderOrder,
    registered: frozenset[str],
    now: datetime,
) -> JobRow:
    """Admit a render: hold its price and queue it. Nothing outside is called.

    ``registered`` names the providers that can be reached and can do this.

    Raises:
        PictureNotFound: an upload that is not the user's, or no more.
        RenderRefused: too many in flight, a preview is missing, or credits are.
        NoCandidate: the published settings leave no provider for this.
    """
    application = Application(job_id=new_id(), user_id=user_id, order=order, registered=registered)
    (outcome,) = await admit(session, [application], now=now)
    if isinstance(outcome, JobRow):
        return outcome
    raise outcome
