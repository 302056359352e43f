"""Reading provider settings as they were: versions, the draft, canaries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.routing.changes import FieldChange, differences
from medici.domain.routing.errors import NoCanary, VersionNotFound
from medici.domain.routing.models import (
    ProviderSettingsCanary,
    ProviderSettingsDraft,
    ProviderSettingsVersion,
)
from medici.domain.routing.queries import published
from medici.domain.routing.settings import ProviderSettings

Place: TypeAlias = int | Literal["draft"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is drafted. Revision 0 is the draft that nobody has touched: what is published."""

    revision: int
    settings: ProviderSettings
    actor: str | None = None
    changed_at: datetime | None = None


async def draft(session: AsyncSession) -> Draft:
    """Return the newest state of the draft."""
    newest = select(ProviderSettingsDraft).order_by(ProviderSettingsDraft.revision.desc()).limit(1)
    row = await session.scalar(newest)
    if row is None:
        return Draft(revision=0, settings=(await published(session)).settings)
    return Draft(
        revision=row.revision,
        settings=ProviderSettings.model_validate(row.content),
        actor=row.actor,
        changed_at=row.created_at,
    )


async def draft_content(session: AsyncSession, revision: int) -> Mapping[str, Any] | None:
    """Return an older state of the draft; None where there was none."""
    if revision == 0:  # nobody had touched it, so it was what a deployment starts with
        return (await version(session, 1)).content
    row = await session.get(ProviderSettingsDraft, revision)
    return row.content if row else None


async def version(session: AsyncSession, number: int) -> ProviderSettingsVersion:
    """Return one version.

    Raises:
        VersionNotFound: none has that number.
    """
    found = await session.get(ProviderSettingsVersion, number)
    if found is None:
        raise VersionNotFound(f"there is no version {number}")
    return found


async def versions(
    session: AsyncSession, *, limit: int, before: int | None = None
) -> Sequence[ProviderSettingsVersion]:
    """Return versions below ``before``, newest first."""
    wanted = select(ProviderSettingsVersion)
    if before is not None:
        wanted = wanted.where(ProviderSettingsVersion.version < before)
    newest_first = wanted.order_by(ProviderSettingsVersion.version.desc())
    return (await session.scalars(newest_first.limit(limit))).all()


async def next_version(session: AsyncSession) -> int:
    """Return the number of the version to be written; whoever asks holds the lock."""
    return (await session.scalar(select(func.max(ProviderSettingsVersion.version))) or 0) + 1


async def diff(session: AsyncSession, *, source: Place, target: Place) -> tuple[FieldChange, ...]:
    """Return in which fields two versions differ, or a version and the draft.

    Raises:
        VersionNotFound: none has that number.
    """
    return differences(await _content(session, source), await _content(session, target))


async def _content(session: AsyncSession, place: Place) -> Mapping[str, object]:
    if place == "draft":
        return (await draft(session)).settings.model_dump(mode="json")
    # Parsed, so that fields younger than the version show as the defaults that they count as.
    stored = await version(session, place)
    return ProviderSettings.model_validate(stored.content).model_dump(mode="json")


async def last_canary(session: AsyncSession) -> ProviderSettingsCanary:
    """Return the canary that is running, else the last that did.

    Raises:
        NoCanary: there never was one.
    """
    newest = select(ProviderSettingsCanary).order_by(ProviderSettingsCanary.version.desc())
    found = await session.scalar(newest.limit(1).execution_options(populate_existing=True))
    if found is None:
        raise NoCanary("no version has been tried yet")
    return found
