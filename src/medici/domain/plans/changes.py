"""Changing one row of the catalogue at a time, and telling what it was before."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.plans.rules import (
    STORES,
    Change,
    ItemTerms,
    PackTerms,
    PlanTerms,
    Products,
    SectionTerms,
    State,
    StyleTerms,
)
from medici.kernel.db.base import Base
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.locks import lock_names

Terms: TypeAlias = PlanTerms | PackTerms | StyleTerms | SectionTerms | ItemTerms

LOCK = "catalogue"


async def lock_catalogue(session: AsyncSession) -> None:
    """Let one change of the catalogue happen at a time."""
    await lock_names(await driver_of(session), [LOCK])


async def save(
    session: AsyncSession,
    kind: type[Base],
    row_id: str,
    values: Mapping[str, object],
    *,
    now: datetime,
) -> Change:
    """Write values into a row, made where there is none; the catalogue must be locked."""
    row = await session.get(kind, row_id, populate_existing=True)
    before = None if row is None else state_of(row)
    if row is None:
        mapper: Any = inspect(kind)
        row = kind(**{mapper.primary_key[0].key: row_id})
        session.add(row)
    for name, value in {**values, "updated_at": now}.items():
        setattr(row, name, value)
    await session.flush()
    return Change(before=before, after=state_of(row))


async def remove(session: AsyncSession, row: Base) -> Change:
    """Delete a row."""
    before = state_of(row)
    await session.delete(row)
    await session.flush()
    return Change(before=before)


def values_of(terms: Terms) -> dict[str, object]:
    """Return terms as the columns of their row."""
    values: dict[str, object] = {}
    for each in fields(terms):
        value = getattr(terms, each.name)
        if isinstance(value, Products):
            values |= {f"{store}_product_id": getattr(value, store) for store in STORES}
        else:
            values[each.name] = list(value) if isinstance(value, tuple) else value
    return values


def state_of(row: Base) -> State:
    """Return a row as JSON has it, without the time of its last change."""
    mapper: Any = inspect(type(row))
    names = [each.key for each in mapper.column_attrs if each.key != "updated_at"]
    state = {name: getattr(row, name) for name in names}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in state.items()
    }
