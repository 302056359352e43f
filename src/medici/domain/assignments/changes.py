"""How those who keep copies of set-ups hear that one was changed in this process.

Whoever changes an ``Experiment`` or an ``ExperimentRuntime`` calls ``changed`` in the session of
the change. Other processes find out by the age of their copies.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from medici.kernel.db.following import after_commit


class Changes:
    """Counts changes; a copy that was made at another count is old."""

    def __init__(self) -> None:
        self.count = 0

    def note(self) -> None:
        self.count += 1


CHANGES = Changes()


def changed(session: AsyncSession) -> None:
    """Have this process forget its copies of set-ups once the session has committed."""
    after_commit(session, CHANGES.note)
