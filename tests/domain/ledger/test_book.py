from dataclasses import replace
from uuid import UUID

import pytest

from medici.domain.ledger import rules
from medici.domain.ledger.book import Book
from medici.domain.ledger.errors import BooksDoNotBalance, InsufficientCredits, WalletParked
from medici.domain.ledger.models import Account, PostingKind
from medici.domain.ledger.rules import GrantState
from medici.kernel.ids import new_id
from tests.domain.ledger.teller import HOUR, LATER, MEMO, NOW, terms_of
from tests.domain.ledger.test_rules import PLAIN, A, B, cut


def book_of(*grants: GrantState, available: int | None = None, parked: bool = False) -> Book:
    return Book(
        wallet_id=UUID(int=99),
        available=sum(g.free for g in grants) if available is None else available,
        held=sum(grant.held for grant in grants),
        seq=7,
        now=NOW,
        parked=parked,
        grants={grant.id: grant for grant in grants},
        new_id=new_id,
    )


def spend(book: Book, amount: int) -> None:
    moves = rules.transfer(book.burn(amount), Account.AVAILABLE, Account.CONSUMED)
    book.post(PostingKind.CONSUME, moves, memo=MEMO, amount=amount)


class TestBook:
    def test_lets_each_request_of_a_batch_see_the_ones_before(self) -> None:
        book = book_of(PLAIN)

        spend(book, 6)
        with pytest.raises(InsufficientCredits) as refused:
            spend(book, 5)
        spend(book, 4)

        assert refused.value.available == 4
        assert [(p.seq, p.available) for p in book.postings] == [(8, 4), (9, 0)]
        assert book.grants[A].consumed == 10
        assert (book.opening_seq, book.changed) == (7, {A})

    def test_books_what_began_before_what_ended(self) -> None:
        came_and_went = replace(PLAIN, issued_seq=None, expires_at=NOW)
        over = replace(PLAIN, id=B, consumed=4, expires_at=NOW - HOUR)
        book = book_of(came_and_went, over)

        book.settle()
        book.settle()

        assert [(p.kind, p.amount, p.available) for p in book.postings] == [
            (PostingKind.ACTIVATE, 10, 16),
            (PostingKind.EXPIRE, 16, 0),
        ]
        assert book.grants[A].issued_seq == 8
        assert (book.grants[A].expired, book.grants[B].expired) == (10, 6)

    def test_spends_nothing_while_parked_or_at_odds_with_its_grants(self) -> None:
        for book in (book_of(PLAIN, parked=True), book_of(PLAIN, available=11)):
            with pytest.raises(WalletParked):
                book.burn(1)

    def test_refuses_a_move_that_leaves_less_than_nothing(self) -> None:
        moves = rules.transfer([cut(A, 11)], Account.AVAILABLE, Account.CONSUMED)

        with pytest.raises(BooksDoNotBalance):
            book_of(PLAIN).post(PostingKind.CONSUME, moves, memo=MEMO, amount=11)

    def test_refuses_to_release_what_the_wallet_does_not_hold(self) -> None:
        book = book_of(replace(PLAIN, held=2))
        book.held = 1
        moves = rules.transfer([cut(A, 2)], Account.HELD, Account.AVAILABLE)

        with pytest.raises(BooksDoNotBalance):
            book.post(PostingKind.VOID, moves, memo=MEMO, amount=2)

    def test_counts_what_was_adjusted_away_as_revoked(self) -> None:
        book = book_of(PLAIN)

        book.post(
            PostingKind.ADJUST,
            rules.transfer([cut(A, 3)], Account.AVAILABLE, Account.ADJUSTED),
            memo=MEMO,
            amount=3,
        )

        assert (book.grants[A].revoked, book.grants[A].free) == (3, 7)

    def test_enters_a_grant_with_the_defaults_of_its_source(self) -> None:
        book = book_of()

        now, later = book.add(terms_of(5)), book.add(terms_of(5, effective_at=LATER))

        assert (now.priority, now.created_seq, now.issued_seq) == (40, 8, 8)
        assert later.issued_seq is None

    def test_moves_credits_without_making_any(self) -> None:
        book = book_of(PLAIN)

        spend(book, 4)

        (move,) = book.postings[0].moves
        assert (move.source, move.target, move.amount) == (
            Account.AVAILABLE,
            Account.CONSUMED,
            4,
        )
