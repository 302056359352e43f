"""Writing provider settings, and what is learnt about the health of providers."""

from collections.abc import Collection
from datetime import datetime
from typing import cast

import structlog
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.failure import ProviderFailure
from medici.adapters.providers.request import Operation
from medici.domain.routing import circuits
from medici.domain.routing.circuits import Circuit
from medici.domain.routing.models import ProviderCircuit, ProviderSettingsVersion
from medici.domain.routing.queries import circuit_of
from medici.domain.routing.settings import ProviderSettings
from medici.kernel.db.driver.bulk import BulkStatement
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.db.inserts import insert_into

log = structlog.get_logger("medici.routing")

COLUMNS = cast("Table", ProviderCircuit.__table__).c
CLOSE = BulkStatement(
    """
    UPDATE provider_circuits
    SET failures = 0, openings = 0, reason = NULL, retry_at = NULL, updated_at = given.updated_at
    FROM {rows}
    WHERE provider_circuits.provider = given.provider
        AND provider_circuits.operation = given.operation
        AND (failures > 0 OR retry_at IS NOT NULL)
    """,
    {name: COLUMNS[name] for name in ("provider", "operation", "updated_at")},
)
TRY = BulkStatement(
    """
    UPDATE provider_circuits SET retry_at = given.until, updated_at = given.updated_at
    FROM {rows}
    WHERE provider_circuits.provider = given.provider
        AND provider_circuits.operation = given.operation
        AND retry_at = given.seen
    RETURNING provider_circuits.provider
    """,
    {
        "provider": COLUMNS["provider"],
        "operation": COLUMNS["operation"],
        "seen": COLUMNS["retry_at"],
        "until": COLUMNS["retry_at"],
        "updated_at": COLUMNS["updated_at"],
    },
)


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


async def note_successes(
    driver: Driver, served: Collection[tuple[str, Operation]], *, now: datetime
) -> None:
    """Close the circuits of providers that delivered, each for an operation."""
    await CLOSE.run(driver, [(*each, now) for each in sorted(served)])


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


async def take_trial(
    driver: Driver, *, provider: str, operation: Operation, circuit: Circuit, now: datetime
) -> bool:
    """Take the one trial of an open circuit whose pause is over; False if another has it."""
    until = circuits.tried(circuit, now).retry_at
    taken = await TRY.run(driver, [(provider, operation, circuit.retry_at, until, now)])
    return bool(taken)


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
