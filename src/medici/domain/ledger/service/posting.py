"""The frame of every command: open a locked wallet's book, find the same request, write."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import cast
from uuid import UUID

from sqlalchemy import Table
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
from medici.kernel.db.driver.bulk import BulkInsert, BulkStatement, BulkUpdate
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.driver.transaction import Driver
from medici.kernel.ids import new_id

GRANT_FIELDS = tuple(field.name for field in fields(GrantState))
# What may change about a grant; its terms never do.
PROGRESS = ("consumed", "held", "expired", "revoked", "closed_at", "issued_seq")
STORED = attrgetter(*GRANT_FIELDS)
MOVED = attrgetter(*PROGRESS)

WALLETS = cast("Table", Wallet.__table__)
GRANTS = cast("Table", Grant.__table__)
INSERT_GRANTS = BulkInsert(GRANTS, ("wallet_id", *GRANT_FIELDS))
INSERT_TRANSACTIONS = BulkInsert(cast("Table", LedgerTransaction.__table__))
INSERT_ENTRIES = BulkInsert(cast("Table", LedgerEntry.__table__))
UPDATE_GRANTS = BulkUpdate(GRANTS, PROGRESS)
# The conditions are the net under the lock: a wallet that does not meet them is not returned.
UPDATE_WALLETS = BulkStatement(
    """
    UPDATE credit_wallets
    SET available = credit_wallets.available + more_available,
        held = credit_wallets.held + more_held, seq = new_seq, last_at = given.last_at
    FROM {rows}
    WHERE credit_wallets.id = given.id AND credit_wallets.seq = opening_seq
        AND credit_wallets.available + more_available >= 0
        AND credit_wallets.held + more_held >= 0
    RETURNING credit_wallets.id
    """,
    {
        "id": WALLETS.c.id,
        "opening_seq": WALLETS.c.seq,
        "more_available": WALLETS.c.available,
        "more_held": WALLETS.c.held,
        "new_seq": WALLETS.c.seq,
        "last_at": WALLETS.c.last_at,
    },
)


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
    driver = await driver_of(session)
    await write_grants(driver, [book])
    await write_postings(driver, [book])


async def write_grants(driver: Driver, books: Sequence[Book]) -> None:
    """Write what became of the books' grants."""
    changed = [(book, book.grants[grant_id]) for book in books for grant_id in book.changed]
    new = [(book, grant) for book, grant in changed if grant.created_seq > book.opening_seq]
    old = [grant for book, grant in changed if grant.created_seq <= book.opening_seq]
    await INSERT_GRANTS.write(driver, [(book.wallet_id, *STORED(grant)) for book, grant in new])
    await UPDATE_GRANTS.write(driver, [(grant.id, *MOVED(grant)) for grant in old])


async def write_postings(driver: Driver, books: Sequence[Book]) -> None:
    """Write the books' transactions; the grants and holds that they name are there already.

    Raises:
        BooksDoNotBalance: a wallet's row does not allow it, in spite of the lock.
    """
    posted_on = [book for book in books if book.postings]
    made = [(book, posting) for book in posted_on for posting in book.postings]
    await _write_wallets(driver, posted_on)
    await INSERT_TRANSACTIONS.write(driver, [_row(book, posting) for book, posting in made])
    await INSERT_ENTRIES.write(
        driver, [entry for _, posting in made for entry in _entries(posting)]
    )


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


async def _write_wallets(driver: Driver, books: Sequence[Book]) -> None:
    """Change each wallet by the sum of its entries."""
    found = await UPDATE_WALLETS.run(driver, [_change(book) for book in books])
    refused = {book.wallet_id for book in books} - {UUID(str(wallet_id)) for (wallet_id,) in found}
    if refused:
        raise BooksDoNotBalance(min(refused))


def _change(book: Book) -> tuple[object, ...]:
    moves = [move for posting in book.postings for move in posting.moves]
    return (
        book.wallet_id,
        book.opening_seq,
        _net(moves, Account.AVAILABLE),
        _net(moves, Account.HELD),
        book.seq,
        book.now,
    )


def _net(moves: Sequence[Move], account: Account) -> int:
    return sum(
        move.amount * ((move.target is account) - (move.source is account)) for move in moves
    )


def _row(book: Book, posting: Posting) -> tuple[object, ...]:
    """Return the values of a transaction, in the order of the table's columns."""
    request = posting.request
    return (
        posting.id,
        book.wallet_id,
        posting.seq,
        posting.kind,
        request.scope if request else None,
        request.key if request else None,
        request.fingerprint if request else None,
        {
            "amount": posting.amount,
            "available": posting.available,
            "held": posting.held,
            "subject": str(posting.subject_id),
        },
        posting.memo.actor,
        posting.memo.reason,
        posting.memo.ref,
        posting.hold_id,
        posting.reverses,
        book.now,
    )


def _entries(posting: Posting) -> list[tuple[object, ...]]:
    """Return the values of a transaction's entries, in the order of the table's columns."""
    signed = [
        (account, move.grant_id, amount)
        for move in posting.moves
        for account, amount in ((move.source, -move.amount), (move.target, move.amount))
    ]
    return [
        (posting.id, line, account, grant_id, amount)
        for line, (account, grant_id, amount) in enumerate(signed)
    ]
