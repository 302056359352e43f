"""Do the books balance? Every invariant in turn, for one wallet or for all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger.invariants import balances, grants, holds, payments, transactions
from medici.domain.ledger.invariants.burning import out_of_order
from medici.domain.ledger.invariants.figures import Contradictions

INVARIANTS: tuple[tuple[str, Callable[[], Contradictions]], ...] = (
    ("L1", transactions.every_transaction_sums_to_zero),
    ("L2", transactions.the_ledger_sums_to_zero),
    ("L3", balances.wallets_equal_their_entries),
    ("L4", balances.wallets_equal_their_grants),
    ("L5", balances.held_equals_pending_holds),
    ("L6", grants.grants_equal_their_entries),
    ("L7", holds.holds_end_once),
    ("L8", transactions.numbers_have_no_gap),
    ("L9", transactions.entries_stay_in_their_wallet),
    ("L9", holds.holds_stay_in_their_wallet),
    ("L10", grants.nothing_outlives_its_end),
    ("L11", grants.a_purchase_is_granted_once),
    ("L11", payments.a_payment_brings_what_it_says),
    ("L11", payments.a_payment_has_a_grant_of_its_own),
    ("L12", transactions.a_key_has_one_effect),
    ("L13", transactions.nothing_was_ever_below_zero),
    ("L14", transactions.a_replay_gives_what_was_answered),
)

MAX_FINDINGS = 100  # of one invariant; the first few tell as much as all


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One contradiction. ``wallet_id`` is None where no single wallet can be named."""

    invariant: str
    wallet_id: UUID | None
    detail: str


async def audit(session: AsyncSession, *, wallet_id: UUID | None = None) -> list[Finding]:
    """Check the invariants L1 to L15 of one wallet, or of the whole ledger.

    Each check is one statement and so sees one moment; postings may go on meanwhile.
    """
    findings: list[Finding] = []
    for name, invariant in INVARIANTS:
        rows = await session.execute(_narrowed(invariant(), wallet_id))
        findings += [_finding(name, row) for row in rows]
    passed_over = await out_of_order(session, wallet_id=wallet_id, limit=MAX_FINDINGS)
    findings += [Finding(invariant="L15", wallet_id=id_, detail=text) for id_, text in passed_over]
    return findings


def _narrowed(contradictions: Contradictions, wallet_id: UUID | None) -> Contradictions:
    found = contradictions.subquery()
    statement = select(found).limit(MAX_FINDINGS)
    return statement if wallet_id is None else statement.where(found.c.wallet_id == wallet_id)


def _finding(name: str, row: Row[Any]) -> Finding:
    facts = dict(row._mapping)
    wallet_id = facts.pop("wallet_id")
    detail = ", ".join(f"{fact} {value}" for fact, value in facts.items())
    return Finding(invariant=name, wallet_id=wallet_id, detail=detail)
