"""Reading provider settings."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.routing.errors import NothingPublished
from medici.domain.routing.models import ProviderSettingsVersion
from medici.domain.routing.settings import ProviderSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSettings:
    """The settings in force, and their version."""

    version: int
    settings: ProviderSettings


async def published(session: AsyncSession) -> PublishedSettings:
    """Return the newest version.

    Raises:
        NothingPublished: not even the first has been written.
    """
    newest = await session.scalar(
        select(ProviderSettingsVersion).order_by(ProviderSettingsVersion.version.desc()).limit(1)
    )
    if newest is None:
        raise NothingPublished("no provider settings have been published yet")
    settings = ProviderSettings.model_validate(newest.content)
    return PublishedSettings(version=newest.version, settings=settings)
