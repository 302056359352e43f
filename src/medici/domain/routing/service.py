"""Writing provider settings."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.routing.models import ProviderSettingsVersion
from medici.domain.routing.settings import ProviderSettings
from medici.kernel.db.inserts import insert_into


async def install_first_version(
    session: AsyncSession, settings: ProviderSettings, *, now: datetime
) -> None:
    """Publish the settings of a new deployment; where a first version exists, it stays.

    Processes that start at once write one first version.
    """
    first = insert_into(session, ProviderSettingsVersion).values(
        version=1,
        content=settings.model_dump(mode="json"),
        actor="system",
        reason="initial_bootstrap",
        created_at=now,
    )
    await session.execute(first.on_conflict_do_nothing())
