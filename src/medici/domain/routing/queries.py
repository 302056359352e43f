"""Reading provider settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.request import Operation
from medici.domain.routing.circuits import Circuit
from medici.domain.routing.errors import NothingPublished
from medici.domain.routing.models import ProviderCircuit, ProviderSettingsVersion
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


async def open_circuits(session: AsyncSession, operation: Operation) -> Mapping[str, Circuit]:
    """Return the open circuits of an operation by provider; all others are closed."""
    rows = await session.scalars(
        select(ProviderCircuit).where(
            ProviderCircuit.operation == operation, ProviderCircuit.retry_at.is_not(None)
        )
    )
    return {row.provider: circuit_of(row) for row in rows}


def circuit_of(row: ProviderCircuit) -> Circuit:
    return Circuit(
        failures=row.failures, openings=row.openings, reason=row.reason, retry_at=row.retry_at
    )
