"""Publishing a change of what is in force by itself, whatever else is being drafted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.routing import history
from medici.domain.routing.changes import FieldChange, differences, merged
from medici.domain.routing.drafting import (
    Act,
    check,
    lock_settings,
    parse,
    record,
    shown,
    write_draft,
)
from medici.domain.routing.errors import CanaryRunning
from medici.domain.routing.models import ProviderSettingsVersion
from medici.domain.routing.publishing import write_version
from medici.domain.routing.queries import published
from medici.domain.routing.settings import ProviderSettings
from medici.domain.routing.trying import running_canary


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """A change of the version in force, and what comes of it."""

    patch: Mapping[str, JsonValue]
    version: int  # in force
    settings: ProviderSettings
    changes: tuple[FieldChange, ...]


async def weigh(
    session: AsyncSession, patch: Mapping[str, object], *, registered: Collection[str]
) -> Amendment:
    """Merge a change over the version in force (RFC 7396); nobody else changes it meanwhile.

    Raises:
        CanaryRunning: another version is being tried.
        SettingsRefused: what comes of it could not be published.
    """
    await lock_settings(session)
    if await running_canary(session):
        raise CanaryRunning("promote or abort the running canary first")
    in_force = await published(session)
    change = cast("Mapping[str, JsonValue]", patch)
    settings = _changed(in_force.settings, change, registered)
    return Amendment(
        patch=change,
        version=in_force.version,
        settings=settings,
        changes=differences(
            in_force.settings.model_dump(mode="json"), settings.model_dump(mode="json")
        ),
    )


async def publish_amendment(
    session: AsyncSession,
    amendment: Amendment,
    *,
    act: Act,
    registered: Collection[str],
    metadata: Mapping[str, object],
) -> ProviderSettingsVersion:
    """Publish a change that was weighed in this transaction; the draft takes it as well.

    So a later publication of the draft does not take it back, and what else the draft holds stays
    unpublished. ``metadata`` is written down beside the change.

    Raises:
        SettingsRefused: the change and the draft do not go together.
    """
    written = await write_version(session, amendment.settings, act=act)
    draft = await history.draft(session)
    if draft.revision:
        settings = _changed(draft.settings, amendment.patch, registered)
        await write_draft(session, settings, before=draft, act=act)
    await record(
        session,
        "provider_settings_published",
        str(written.version),
        act=act,
        metadata={
            "version": written.version,
            "changes": shown(amendment.changes),
            **metadata,
        },
    )
    return written


def _changed(
    settings: ProviderSettings, patch: Mapping[str, JsonValue], registered: Collection[str]
) -> ProviderSettings:
    changed = parse(merged(settings.model_dump(mode="json"), dict(patch)))
    check(changed, registered)
    return changed
