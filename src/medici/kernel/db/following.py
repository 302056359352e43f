"""What follows a commit."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncSession

AFTER_COMMIT = "medici_after_commit"


def after_commit(session: AsyncSession, follow: Callable[[], None]) -> None:
    """Have a quick function called once this session's transaction has committed."""
    session.info.setdefault(AFTER_COMMIT, []).append(follow)
