"""All that renders leave in a database, told so that two tellings can be compared."""

import re
from collections.abc import Container, Mapping, Sequence

from sqlalchemy import FromClause, RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from medici.domain.events.models import Event
from medici.domain.ledger.models import (
    Grant,
    Hold,
    HoldLine,
    LedgerEntry,
    LedgerTransaction,
    Wallet,
)
from medici.domain.pictures.models import Picture
from medici.domain.rendering.models import RenderAttempt, RenderJob
from medici.domain.routing.models import ProviderCircuit
from medici.jobs.models import Job
from medici.kernel.db.base import Base

# What tells the rows of a table apart, other than an id that is made anew each time.
TABLES: dict[type[Base], tuple[str, ...]] = {
    Wallet: ("owner_kind", "owner_id"),
    Grant: ("wallet_id", "source", "source_ref"),
    LedgerTransaction: ("wallet_id", "wallet_seq"),
    LedgerEntry: ("transaction_id", "line"),
    Hold: ("ref_kind", "ref_id"),
    HoldLine: ("hold_id", "position"),
    RenderJob: ("id",),
    RenderAttempt: ("render_job_id", "number"),
    ProviderCircuit: ("provider", "operation"),
    Job: ("kind", "key"),
    Picture: ("id",),
    Event: ("id",),  # they rise
}
BY_ANOTHER_CLOCK = {"due_at"}  # the database's own
AN_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}(?![0-9a-f])")

Traces = dict[str, list[str]]


def undone(connection: AsyncConnection) -> AsyncSession:
    """Give a session whose commit ends a savepoint, so that it can be taken back."""
    return AsyncSession(
        connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
    )


async def traces(session: AsyncSession, *, without: Container[type[Base]] = ()) -> Traces:
    """Return every row, with names in place of ids: the first id that is met is called #1."""
    names: dict[str, str] = {}
    return {
        model.__tablename__: await _rows(session, model.__table__, keys, names)
        for model, keys in TABLES.items()
        if model not in without
    }


async def _rows(
    session: AsyncSession, table: FromClause, keys: Sequence[str], names: dict[str, str]
) -> list[str]:
    columns = [column.name for column in table.columns if column.name not in BY_ANOTHER_CLOCK]
    rows = (await session.execute(select(table))).mappings()
    ordered = sorted(rows, key=lambda row: _named(_told(row, keys), names))
    told = []
    for row in ordered:
        text = _told(row, columns)
        for found in AN_ID.findall(text):
            names.setdefault(_plain(found), f"#{len(names) + 1}")
        told.append(_named(text, names))
    return told


def _told(row: RowMapping, columns: Sequence[str]) -> str:
    return ", ".join(f"{column}={row[column]!r}" for column in columns)


def _named(text: str, names: Mapping[str, str]) -> str:
    return AN_ID.sub(lambda found: names.get(_plain(found[0]), found[0]), text)


def _plain(found: str) -> str:
    return found.replace("-", "")
