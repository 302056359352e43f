"""Putting provider settings in force: all at once, for some users first, or an older version."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.routing import history
from medici.domain.routing.canaries import Limits
from medici.domain.routing.changes import differences
from medici.domain.routing.drafting import (
    Act,
    check,
    check_revision,
    lock_settings,
    record,
    shown,
    write_draft,
)
from medici.domain.routing.errors import CanaryRunning, UnknownVersion
from medici.domain.routing.models import (
    CanaryState,
    ProviderSettingsCanary,
    ProviderSettingsVersion,
)
from medici.domain.routing.queries import published
from medici.domain.routing.settings import ProviderSettings
from medici.domain.routing.trying import end_canary, running_canary
from medici.kernel.ids import new_id

EVERYBODY = 100  # percent
USUAL_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """Whom a new version reaches first, and what takes it back."""

    percent: int = EVERYBODY
    limits: Limits = USUAL_LIMITS


AT_ONCE = Rollout()


async def publish(
    session: AsyncSession,
    *,
    act: Act,
    registered: Collection[str],
    revision: int | None = None,
    rollout: Rollout = AT_ONCE,
) -> ProviderSettingsVersion:
    """Make the draft the next version.

    ``revision`` is the state of the draft that is meant; None is any. Below 100 percent the version
    is tried by that share of the users, beside the one in force.

    Raises:
        CanaryRunning: another version is being tried.
        DraftMoved: the draft is at another revision.
        SettingsRefused: a provider of the draft is gone.
    """
    await lock_settings(session)
    if await running_canary(session):
        raise CanaryRunning("promote or abort the running canary first")
    draft = await history.draft(session)
    await check_revision(session, draft, revision)
    check(draft.settings, registered)
    in_force = await published(session)
    written = await write_version(session, draft.settings, act=act)
    metadata: dict[str, object] = {
        "version": written.version,
        "changes": _changes(in_force.settings, draft.settings),
    }
    if rollout.percent < EVERYBODY:
        session.add(_canary(written.version, in_force.version, rollout, act.now))
        await session.flush()
        metadata["canary_percent"] = rollout.percent
    await record(
        session, "provider_settings_published", str(written.version), act=act, metadata=metadata
    )
    return written


async def roll_back(
    session: AsyncSession, number: int, *, act: Act, registered: Collection[str]
) -> ProviderSettingsVersion:
    """Publish the content of an older version as a new one, and begin the draft from it again.

    A running canary ends.

    Raises:
        UnknownVersion: there is no such version.
        SettingsRefused: a provider that it enables is gone.
    """
    await lock_settings(session)
    older = await session.get(ProviderSettingsVersion, number)
    if older is None:
        raise UnknownVersion(f"there is no version {number}")
    act = replace(act, reason=act.reason or f"rollback_from_{number}")
    settings = ProviderSettings.model_validate(older.content)
    check(settings, registered)
    metadata: dict[str, object] = {"restored_version": number}
    if canary := await running_canary(session):
        await end_canary(session, canary, CanaryState.ABORTED, act=act)
        metadata["aborted_canary"] = canary.version
    written = await write_version(session, settings, act=act)
    await write_draft(session, settings, before=await history.draft(session), act=act)
    metadata["version"] = written.version
    await record(
        session, "provider_settings_rolled_back", str(written.version), act=act, metadata=metadata
    )
    return written


def _changes(before: ProviderSettings, after: ProviderSettings) -> list[dict[str, object]]:
    return shown(differences(before.model_dump(mode="json"), after.model_dump(mode="json")))


async def write_version(
    session: AsyncSession, settings: ProviderSettings, *, act: Act
) -> ProviderSettingsVersion:
    """Write the next version; whoever does holds the lock and has checked the settings."""
    version = ProviderSettingsVersion(
        version=await history.next_version(session),
        content=settings.model_dump(mode="json"),
        actor=act.actor,
        reason=act.reason,
        created_at=act.now,
    )
    session.add(version)
    await session.flush()
    return version


def _canary(version: int, baseline: int, rollout: Rollout, now: datetime) -> ProviderSettingsCanary:
    return ProviderSettingsCanary(
        version=version,
        baseline_version=baseline,
        percent=rollout.percent,
        limits=rollout.limits.model_dump(mode="json"),
        state=CanaryState.RUNNING,
        after_id=new_id(),
        started_at=now,
        breaches=[],
    )
