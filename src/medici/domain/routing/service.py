"""Writing provider settings, and what is learnt about the health of providers."""

from datetime import datetime

import structlog
from sqlalchemy import or_, update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.failure import ProviderFailure
from medici.adapters.providers.request import Operation
from medici.domain.routing import circuits
from medici.domain.routing.circuits import Circuit
from medici.domain.routing.models import ProviderCircuit, ProviderSettingsVersion
from medici.domain.routing.queries import circuit_of
from medici.domain.routing.settings import ProviderSettings
from medici.kernel.db.inserts import insert_into

log = structlog.get_logger("medici.routing")


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


async def note_success(
    session: AsyncSession, *, provider: str, operation: Operation, now: datetime
) -> None:
    """Close a provider's circuit, since it delivered."""
    await session.execute(
        update(ProviderCircuit)
        .where(
            ProviderCircuit.provider == provider,
            ProviderCircuit.operation == operation,
            or_(ProviderCircuit.failures > 0, ProviderCircuit.retry_at.is_not(None)),
        )
        .values(failures=0, openings=0, reason=None, retry_at=None, updated_at=now)
        .execution_options(synchronize_session=False)
    )


async def note_failure(
    session: AsyncSession,
    failure: ProviderFailure,
    *,
    provider: str,
    operation: Operation,
    now: datetime,
) -> None:
    """Count a failure against a provider; enough of them open its circuit."""
    row = await _locked_circuit(session, provider, operation, now=now)
    before = circuit_of(row)
    after = circuits.failed(before, failure.code, now, wait_seconds=failure.retry_after_seconds)
    _write(row, after, now)
    if after.is_open and not before.is_open:
        log.warning(
            "provider.circuit_opened", provider=provider, operation=operation, code=failure.code
        )


async def begin_trial(
    session: AsyncSession, *, provider: str, operation: Operation, now: datetime
) -> bool:
    """Take the one trial of an open circuit whose pause is over; False if another has it."""
    row = await _locked_circuit(session, provider, operation, now=now)
    circuit = circuit_of(row)
    if not circuit.admits(now):
        return False
    if circuit.is_open:
        _write(row, circuits.tried(circuit, now), now)
    return True


async def _locked_circuit(
    session: AsyncSession, provider: str, operation: Operation, *, now: datetime
) -> ProviderCircuit:
    fresh = insert_into(session, ProviderCircuit).values(
        provider=provider, operation=operation, failures=0, openings=0, updated_at=now
    )
    await session.execute(fresh.on_conflict_do_nothing())
    return await session.get_one(
        ProviderCircuit, (provider, operation), with_for_update=True, populate_existing=True
    )


def _write(row: ProviderCircuit, circuit: Circuit, now: datetime) -> None:
    row.failures, row.openings = circuit.failures, circuit.openings
    row.reason, row.retry_at = circuit.reason, circuit.retry_at
    row.updated_at = now
