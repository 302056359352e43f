"""The frame of every command: open a locked wallet's book, find the same request, write."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from typing import TypedDict, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger import queries
from medici.domain.ledger.book import Book, Posting
from medici.domain.ledger.errors import BooksDoNotBalance, IdempotencyKeyReused
from medici.domain.ledger.models import (
    Account,
    Grant,
    LedgerEntry,
    LedgerTransaction,
    Wallet,
)
from medici.domain.ledger.rules import GrantState, Move, Request
from medici.domain.ledger.values import Posted
from medici.kernel.db.base import BigInt
from medici.kernel.db.padding import padded
from medici.kernel.ids import new_id

GRANT_FIELDS = tuple(field.name for field in fields(GrantState))
# What may change about a grant; its terms never do.
PROGRESS = ("consumed", "held", "expired", "revoked", "closed_at", "issued_seq")

# Built once: building a statement anew costs several times what running it does.
INSERT_GRANT = insert(cast("Table", Grant.__table__))
INSERT_TRANSACTION = insert(cast("Table", LedgerTransaction.__table__))
INSERT_ENTRY = insert(cast("Table", LedgerEntry.__table__))
UPDATE_GRANT = (
    update(cast("Table", Grant.__table__))
    .where(Grant.id == bindparam("grant"))
    .values({name: bindparam(f"new_{name}") for name in PROGRESS})
)
UPDATE_WALLET = (
    update(cast("Table", Wallet.__table__))
    .where(
        Wallet.id == bindparam("wallet"),
        Wallet.seq == bindparam("opening_seq"),
        Wallet.available + bindparam("more_available", type_=BigInt) >= 0,
        Wallet.held + bindparam("more_held", type_=BigInt) >= 0,
    )
    .values(
        available=Wallet.available + bindparam("more_available", type_=BigInt),
        held=Wallet.held + bindparam("more_held", type_=BigInt),
        seq=bindparam("new_seq"),
        last_at=bindparam("now"),
    )
)
WALLETS_NOW = select(Wallet.id, Wallet.available, Wallet.held, Wallet.seq).where(
    Wallet.id.in_(bindparam("wallets", expanding=True))
)


class EntryRow(TypedDict):
    """One row of ``ledger_entries``, in the order of its columns."""

    transaction_id: UUID
    line: int
    account: Account
    grant_id: UUID | None
    amount: int


async def stored(session: AsyncSession, request: Request) -> Posted | None:
    """Return what the same request did before. Look only after the wallet is locked.

    Raises:
        IdempotencyKeyReused: the key stands for a request with other content.
    """
    found = await queries.transaction_of(session, request)
    if found is None:
        return None
    if found.fingerprint != request.fingerprint:
        raise IdempotencyKeyReused("this idempotency key was used for another request")
    return shown(found)


async def open_book(
    session: AsyncSession, wallet: Wallet, *, now: datetime, also: Collection[UUID] = ()
) -> Book:
    """Open a locked wallet's book and book what time alone has done.

    The wallet's clock never goes back: a process whose clock is late works at the wallet's time.
    ``also`` names spent grants that the command needs besides the open ones.
    """
    grants = await queries.open_grants(session, wallet.id)
    if also:
        grants += await queries.grants_by_id(session, also)
    book = Book(
        wallet_id=wallet.id,
        available=wallet.available,
        held=wallet.held,
        seq=wallet.seq,
        now=max(now, wallet.last_at),
        parked=wallet.parked_at is not None,
        grants={grant.id: grant for grant in grants},
        new_id=new_id,
    )
    book.settle()
    return book


async def write(session: AsyncSession, book: Book) -> None:
    """Write a book's postings and what they changed. Nothing is committed.

    Raises:
        BooksDoNotBalance: the wallet's row does not allow it, in spite of the lock.
    """
    await session.flush()
    await write_grants(session, [book])
    await write_postings(session, [book])


async def write_grants(session: AsyncSession, books: Sequence[Book]) -> None:
    """Write what became of the books' grants."""
    changed = [(book, book.grants[grant_id]) for book in books for grant_id in book.changed]
    new = [(book, grant) for book, grant in changed if grant.created_seq > book.opening_seq]
    old = [grant for book, grant in changed if grant.created_seq <= book.opening_seq]
    if new:
        rows = [{"wallet_id": book.wallet_id, **_stored(grant)} for book, grant in new]
        await session.execute(INSERT_GRANT, rows)
    if old:
        await session.execute(UPDATE_GRANT, [_progress(grant) for grant in old])


async def write_postings(session: AsyncSession, books: Sequence[Book]) -> None:
    """Write the books' transactions; the grants and holds that they name are there already.

    Raises:
        BooksDoNotBalance: a wallet's row does not allow it, in spite of the lock.
    """
    posted_on = [book for book in books if book.postings]
    if not posted_on:
        return
    rows = [(book, posting, _entries(posting)) for book in posted_on for posting in book.postings]
    await _write_wallets(session, posted_on)
    await session.execute(INSERT_TRANSACTION, [_row(book, posting) for book, posting, _ in rows])
    entries = [entry for _, _, lines in rows for entry in lines]
    if entries:
        await session.execute(INSERT_ENTRY, entries)


def shown(found: LedgerTransaction) -> Posted:
    """Show a transaction of an earlier request, in the words of its first answer."""
    return Posted(
        transaction_id=found.id,
        kind=found.kind,
        amount=cast("int", found.result["amount"]),
        available=cast("int", found.result["available"]),
        held=cast("int", found.result["held"]),
        subject_id=UUID(cast("str", found.result["subject"])),
        applied=False,
    )


def posted(posting: Posting) -> Posted:
    """Show a posting to the caller."""
    return Posted(
        transaction_id=posting.id,
        kind=posting.kind,
        amount=posting.amount,
        available=posting.available,
        held=posting.held,
        subject_id=posting.subject_id,
        applied=True,
    )


async def _write_wallets(session: AsyncSession, books: Sequence[Book]) -> None:
    """Change each wallet by the sum of its entries; the conditions are the net under the lock."""
    if len(books) == 1:
        if await session.scalar(UPDATE_WALLET.returning(Wallet.id), _change(books[0])) is None:
            raise BooksDoNotBalance(books[0].wallet_id)
        return
    # A statement for many rows does not tell which of them it found.
    connection = await session.connection()
    await connection.execute(UPDATE_WALLET, [_change(book) for book in books])
    found = await session.execute(
        WALLETS_NOW, {"wallets": padded([book.wallet_id for book in books])}
    )
    now = {row.id: (row.available, row.held, row.seq) for row in found}
    for book in books:
        if now.get(book.wallet_id) != (book.available, book.held, book.seq):
            raise BooksDoNotBalance(book.wallet_id)


def _change(book: Book) -> dict[str, object]:
    moves = [move for posting in book.postings for move in posting.moves]
    return {
        "wallet": book.wallet_id,
        "opening_seq": book.opening_seq,
        "more_available": _net(moves, Account.AVAILABLE),
        "more_held": _net(moves, Account.HELD),
        "new_seq": book.seq,
        "now": book.now,
    }


def _net(moves: Sequence[Move], account: Account) -> int:
    return sum(
        move.amount * ((move.target is account) - (move.source is account)) for move in moves
    )


def _stored(grant: GrantState) -> dict[str, object]:
    return {name: getattr(grant, name) for name in GRANT_FIELDS}


def _progress(grant: GrantState) -> dict[str, object]:
    return {"grant": grant.id, **{f"new_{name}": getattr(grant, name) for name in PROGRESS}}


def _row(book: Book, posting: Posting) -> dict[str, object]:
    return {
        "id": posting.id,
        "wallet_id": book.wallet_id,
        "wallet_seq": posting.seq,
        "kind": posting.kind,
        "scope": posting.request.scope if posting.request else None,
        "idempotency_key": posting.request.key if posting.request else None,
        "fingerprint": posting.request.fingerprint if posting.request else None,
        "result": {
            "amount": posting.amount,
            "available": posting.available,
            "held": posting.held,
            "subject": str(posting.subject_id),
        },
        "actor": posting.memo.actor,
        "reason": posting.memo.reason,
        "ref": posting.memo.ref,
        "hold_id": posting.hold_id,
        "reverses": posting.reverses,
        "at": book.now,
    }


def _entries(posting: Posting) -> list[EntryRow]:
    signed = [
        (account, move.grant_id, amount)
        for move in posting.moves
        for account, amount in ((move.source, -move.amount), (move.target, move.amount))
    ]
    return [
        {
            "transaction_id": posting.id,
            "line": line,
            "account": account,
            "grant_id": grant_id,
            "amount": amount,
        }
        for line, (account, grant_id, amount) in enumerate(signed)
    ]
