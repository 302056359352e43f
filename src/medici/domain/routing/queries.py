"""Reading provider settings."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.request import Operation
from medici.domain.routing.circuits import Circuit
from medici.domain.routing.errors import NothingPublished
from medici.domain.routing.models import ProviderCircuit, ProviderSettingsVersion
from medici.domain.routing.settings import ProviderSettings
from medici.kernel.db.driver.query import Query
from medici.kernel.db.driver.transaction import Driver

NEWEST = (
    select(
        ProviderSettingsVersion.version,
        cast(ProviderSettingsVersion.content, Text).label("content"),
    )
    .order_by(ProviderSettingsVersion.version.desc())
    .limit(1)
)
NEWEST_VERSION = Query(NEWEST)
OPEN_CIRCUITS = Query(select(ProviderCircuit).where(ProviderCircuit.retry_at.is_not(None)))


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
    return _read((await session.execute(NEWEST)).first())


async def published_now(driver: Driver) -> PublishedSettings:
    """Return the newest version, read on a driver; raises as ``published`` does."""
    rows = await NEWEST_VERSION.rows(driver)
    return _read(rows[0] if rows else None)


def _read(newest: Any) -> PublishedSettings:
    if newest is None:
        raise NothingPublished("no provider settings have been published yet")
    return PublishedSettings(version=newest.version, settings=_parsed(newest.content))


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
