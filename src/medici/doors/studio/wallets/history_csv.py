"""A wallet's transactions as a spreadsheet reads them, without anything that it would calculate."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.owner import Owner
from medici.domain.ledger import views
from medici.domain.ledger.queries import wallet_by_owner
from medici.domain.ledger.values import HistoryItem
from medici.domain.ledger.views import MAX_PAGE, HistoryFilter

COLUMNS = (
    "at",
    "id",
    "seq",
    "kind",
    "amount",
    "balance_after",
    "held_change",
    "held_after",
    "actor",
    "reason",
    "ref",
)
MOST_ROWS = 100_000
BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


async def ledger_csv(
    reading: Callable[[], AbstractAsyncContextManager[AsyncSession]],
    owner: Owner,
    only: HistoryFilter,
    *,
    page_size: int = MAX_PAGE,
) -> AsyncIterator[str]:
    """Write an owner's transactions, newest first, reading some at a time."""
    yield _written([COLUMNS])
    async with reading() as session:
        wallet = await wallet_by_owner(session, owner=owner)
    before, rows = None, 0
    while wallet is not None and rows < MOST_ROWS:
        async with reading() as session:
            page = await views.history(
                session, wallet_id=wallet.id, before=before, limit=page_size, only=only
            )
        yield _written(map(_row, page.items))
        rows, before = rows + len(page.items), page.before
        if before is None:
            return


def safe(cell: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(BEGINS_A_FORMULA) else cell


def _row(item: HistoryItem) -> tuple[str | int, ...]:
    return (
        item.at.isoformat(),
        str(item.transaction_id),
        item.seq,
        item.kind,
        item.available_change,
        item.available,
        item.held_change,
        item.held,
        safe(item.actor),
        safe(item.reason),
        safe(item.ref or ""),
    )


def _written(rows: Iterable[Iterable[str | int]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
