"""Those of the planted mistakes that take more than leaving something out."""

from medici.domain.billing.allowance import Owed, Window
from medici.domain.ledger import decisions, rules
from medici.domain.ledger.book import Book
from medici.domain.ledger.models import GrantSource
from medici.domain.ledger.rules import Slice
from medici.domain.ledger.values import GrantTerms, Memo


class BackwardsBook(Book):
    """Spends last what is to go first."""

    def burn(self, amount: int) -> tuple[Slice, ...]:
        super().burn(amount)  # which refuses what is not covered
        backwards = reversed(rules.in_burn_order(self.grants.values()))
        free = [Slice(grant_id=grant.id, amount=grant.free) for grant in backwards if grant.free]
        return rules.split(free, amount)[0]


def give_in_full(book: Book, due: Owed, window: Window, memo: Memo) -> None:
    """Give a day's credits whatever it has had, and leave those of other days as they are."""
    terms = GrantTerms(
        source=GrantSource.PLAN_DAILY,
        source_ref=due.source_ref,
        amount=due.target,
        expires_at=window.ends_at,
    )
    decisions.issue(book, terms, memo, decisions.grant_request(book.wallet_id, terms))
