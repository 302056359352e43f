"""What stores' payments brought, held against the books of billing, which are known by name alone.

Credits that were extended or moved to another owner are several grants of one payment.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    String,
    Subquery,
    Uuid,
    column,
    func,
    or_,
    select,
    table,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from medici.domain.ledger.invariants.figures import Contradictions
from medici.domain.ledger.models import Grant, GrantSource

BOUGHT = (GrantSource.PACK, GrantSource.PLAN_PERIOD, GrantSource.TRIAL)
EXTENDED = ":until:"  # what stands between a grant's reference and the end that it was given
PAYMENTS = table(
    "store_transactions",
    column("source", String),
    column("environment", String),
    column("transaction_id", String),
    column("credits", BigInteger),
    column("revoked_credits", BigInteger),
    column("grant_id", Uuid),
)


class _Origin(GenericFunction[str]):
    """A grant's reference without the ends that it was extended to."""

    type = String()
    inherit_cache = True


@compiles(_Origin, "postgresql")
def _origin_on_postgresql(element: _Origin, compiler: SQLCompiler, **options: Any) -> str:
    return f"split_part({compiler.process(element.clauses, **options)}, '{EXTENDED}', 1)"


@compiles(_Origin, "sqlite")
def _origin_on_sqlite(element: _Origin, compiler: SQLCompiler, **options: Any) -> str:
    reference = compiler.process(element.clauses, **options)
    # Found for certain, since it has been put at the end.
    return f"substr({reference}, 1, instr({reference} || '{EXTENDED}', '{EXTENDED}') - 1)"


def a_payment_brings_what_it_says() -> Contradictions:
    """L11: the grants of a payment have no more left unrevoked than it brought and has not lost."""
    brought, payments = _brought(), _payments()
    due = payments.c.credits - payments.c.revoked_credits
    return (
        select(
            Grant.wallet_id,
            payments.c.reference.label("payment"),
            due.label("due"),
            brought.c.given.label("given"),
            brought.c.sources.label("sources"),
        )
        .join(Grant, Grant.id == payments.c.grant_id)
        .join(brought, brought.c.origin == payments.c.reference)
        .where(or_(brought.c.given > due, brought.c.sources > 1))
    )


def a_payment_has_a_grant_of_its_own() -> Contradictions:
    """L11: the grant that a payment names was given for it, and so for no other."""
    payments = _payments()
    return (
        select(Grant.wallet_id, payments.c.reference.label("payment"), Grant.source_ref)
        .join(Grant, Grant.id == payments.c.grant_id)
        .where(_Origin(Grant.source_ref) != payments.c.reference)
    )


def _brought() -> Subquery:
    """Add up what is left of each payment's grants, over all wallets."""
    origin: ColumnElement[str] = _Origin(Grant.source_ref)
    return (
        select(
            origin.label("origin"),
            func.sum(Grant.amount - Grant.revoked).label("given"),
            func.count(Grant.source.distinct()).label("sources"),
        )
        .where(Grant.source.in_(BOUGHT))
        .group_by(origin)
        .subquery()
    )


def _payments() -> Subquery:
    known = PAYMENTS.c
    reference = known.source + ":" + known.environment + ":" + known.transaction_id
    return select(
        reference.label("reference"), known.credits, known.revoked_credits, known.grant_id
    ).subquery()
