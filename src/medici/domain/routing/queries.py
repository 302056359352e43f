"""Reading provider settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Text, case, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.request import Operation
from medici.domain.routing.canaries import takes_part
from medici.domain.routing.circuits import Circuit
from medici.domain.routing.errors import NothingPublished
from medici.domain.routing.models import (
    CanaryState,
    ProviderCircuit,
    ProviderSettingsCanary,
    ProviderSettingsVersion,
)
from medici.domain.routing.settings import ProviderSettings
from medici.kernel.db.driver.query import Query
from medici.kernel.db.driver.transaction import Driver

STATE = ProviderSettingsCanary.state
# The version in force, before it perhaps the one that is being tried.
NEWEST = (
    select(
        ProviderSettingsVersion.version,
        cast(ProviderSettingsVersion.content, Text).label("content"),
        case((STATE == CanaryState.RUNNING, ProviderSettingsCanary.percent)).label("percent"),
    )
    .outerjoin(
        ProviderSettingsCanary, ProviderSettingsCanary.version == ProviderSettingsVersion.version
    )
    .where(or_(STATE.is_(None), STATE == CanaryState.RUNNING, STATE == CanaryState.PROMOTED))
    .order_by(ProviderSettingsVersion.version.desc())
    .limit(2)
)
NEWEST_VERSION = Query(NEWEST)
OPEN_CIRCUITS = Query(select(ProviderCircuit).where(ProviderCircuit.retry_at.is_not(None)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """A version that ``percent`` of the users take."""

    version: int
    settings: ProviderSettings
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSettings:
    """The settings in force, and their version."""

    version: int
    settings: ProviderSettings
    canary: Canary | None = None

    def of_user(self, user_id: str) -> "PublishedSettings | Canary":
        """Return what holds for one user's renders."""
        canary = self.canary
        if canary and takes_part(canary.version, canary.percent, user_id):
            return canary
        return self

    @property
    def compares(self) -> bool:
        """Tell whether any choice depends on what providers cost, or how long they take."""
        return self.settings.compares or (self.canary is not None and self.canary.settings.compares)


async def published(session: AsyncSession) -> PublishedSettings:
    """Return the version in force, and what is being tried beside it.

    Raises:
        NothingPublished: not even the first has been written.
    """
    return _read((await session.execute(NEWEST)).all())


async def published_now(driver: Driver) -> PublishedSettings:
    """Return the same, read on a driver; raises as ``published`` does."""
    return _read(await NEWEST_VERSION.rows(driver))


def _read(newest: Sequence[Any]) -> PublishedSettings:
    trying = [row for row in newest if row.percent is not None]
    in_force = next((row for row in newest if row.percent is None), None)
    if in_force is None:
        raise NothingPublished("no provider settings have been published yet")
    return PublishedSettings(
        version=in_force.version,
        settings=_parsed(in_force.content),
        canary=_canary(trying[0]) if trying else None,
    )


def _canary(row: Any) -> Canary:
    return Canary(version=row.version, settings=_parsed(row.content), percent=row.percent)


@lru_cache(maxsize=16)  # many are read, few are written; nobody changes what has been parsed
def _parsed(content: str) -> ProviderSettings:
    return ProviderSettings.model_validate_json(content)


async def open_circuits(driver: Driver) -> dict[tuple[str, Operation], Circuit]:
    """Return the open circuits by provider and operation; all others are closed."""
    rows = await OPEN_CIRCUITS.rows(driver)
    return {(row.provider, row.operation): circuit_of(row) for row in rows}


def circuit_of(row: Any) -> Circuit:
    return Circuit(
        failures=row.failures, openings=row.openings, reason=row.reason, retry_at=row.retry_at
    )
