"""A canary from its start to its end."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.principal import SYSTEM
from medici.domain.routing.canaries import Breach, Health, Limits, judge
from medici.domain.routing.drafting import Act, lock_settings, record
from medici.domain.routing.errors import NoCanary
from medici.domain.routing.models import CanaryState, ProviderSettingsCanary

ACTIONS = {
    CanaryState.PROMOTED: "provider_settings_canary_promoted",
    CanaryState.ABORTED: "provider_settings_canary_aborted",
    CanaryState.ROLLED_BACK: "provider_settings_canary_rolled_back",
}


async def running_canary(session: AsyncSession) -> ProviderSettingsCanary | None:
    """Return the version that is being tried, as stored now."""
    running = select(ProviderSettingsCanary).where(
        ProviderSettingsCanary.state == CanaryState.RUNNING
    )
    return await session.scalar(running.execution_options(populate_existing=True))


async def promote(session: AsyncSession, *, act: Act) -> ProviderSettingsCanary:
    """Put the version that is being tried in force for everybody.

    Raises:
        NoCanary: none is.
    """
    return await _end_running(session, CanaryState.PROMOTED, act)


async def abort(session: AsyncSession, *, act: Act) -> ProviderSettingsCanary:
    """Take the version that is being tried back; the one in force holds for everybody again.

    Raises:
        NoCanary: none is.
    """
    return await _end_running(session, CanaryState.ABORTED, act)


async def note_health(
    session: AsyncSession, version: int, *, canary: Health, baseline: Health, now: datetime
) -> tuple[Breach, ...]:
    """Note how a canary and its baseline do; take the canary back where it breaks a limit.

    Returns the broken limits. A canary that has ended meanwhile is left alone.
    """
    await lock_settings(session)
    running = await running_canary(session)
    if running is None or running.version != version:
        return ()
    breaches = judge(canary, baseline, Limits.model_validate(running.limits))
    running.canary_health = canary.model_dump(mode="json")
    running.baseline_health = baseline.model_dump(mode="json")
    running.observed_at = now
    running.breaches = [asdict(breach) for breach in breaches]
    if breaches:
        act = Act(operator=SYSTEM, actor=SYSTEM.actor, reason=_reason(breaches), now=now)
        await end_canary(session, running, CanaryState.ROLLED_BACK, act=act)
    return breaches


async def end_canary(
    session: AsyncSession, canary: ProviderSettingsCanary, state: CanaryState, *, act: Act
) -> None:
    """End a running canary, whoever ends it holding the lock, and write it down."""
    canary.state = state
    canary.ended_at = act.now
    await session.flush()
    metadata: dict[str, object] = {
        "version": canary.version,
        "baseline_version": canary.baseline_version,
        "percent": canary.percent,
        "canary": canary.canary_health,
        "baseline": canary.baseline_health,
        "breaches": canary.breaches,
    }
    await record(session, ACTIONS[state], str(canary.version), act=act, metadata=metadata)


async def _end_running(
    session: AsyncSession, state: CanaryState, act: Act
) -> ProviderSettingsCanary:
    await lock_settings(session)
    running = await running_canary(session)
    if running is None:
        raise NoCanary("no version is being tried")
    await end_canary(session, running, state, act=act)
    return running


def _reason(breaches: tuple[Breach, ...]) -> str:
    return "canary broke " + ", ".join(breach.limit for breach in breaches)
