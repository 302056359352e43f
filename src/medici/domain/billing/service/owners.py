"""Finding out whose a purchase is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.payments.news import AuthMode, Buyer, StoreNews
from medici.domain.billing.fold import Told
from medici.domain.billing.lineages import BUYER, Lineage
from medici.domain.billing.models import StoreCustomer, StoreTransaction
from medici.domain.billing.ownership import Naming, Ownership, Strength, owner_of
from medici.domain.billing.policy import StorePolicy
from medici.domain.billing.service.payments import BUYER_OF, CLAIMS, WORD
from medici.domain.identity.models import User
from medici.domain.identity.service import ensure_user
from medici.kernel.db.inserts import insert_into

LONGEST_USER_ID = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What one message says about the buyer; ``place`` orders it among the others."""

    place: tuple[str, str]
    buyer: Buyer


async def meet_buyer(session: AsyncSession, news: StoreNews, *, now: datetime) -> None:
    """Make the user that a message names, if nobody has seen them, and remember the customer.

    Of several users who are named for one customer, the one of the earliest message counts.
    """
    user_id = news.buyer.user_id
    if user_id is None or len(user_id) > LONGEST_USER_ID:
        return
    await ensure_user(session, user_id=user_id, now=now)
    if news.buyer.customer_id is None or news.auth_mode is AuthMode.CLIENT:
        return
    insert = insert_into(session, StoreCustomer).values(
        source=news.source,
        environment=news.environment,
        customer_id=news.buyer.customer_id,
        user_id=user_id,
        created_at=news.event_time,
    )
    told, known = insert.excluded, StoreCustomer
    # Of two at the same moment the lesser id: any rule will do that does not ask who came first.
    sooner = tuple_(told.created_at, told.user_id) < tuple_(known.created_at, known.user_id)
    await session.execute(
        insert.on_conflict_do_update(
            index_elements=[known.source, known.environment, known.customer_id],
            set_={"user_id": told.user_id, "created_at": told.created_at},
            where=sooner,
        )
    )


async def owner(
    session: AsyncSession,
    lineage: Lineage,
    told: Iterable[Told],
    payments: Iterable[StoreTransaction],
    *,
    policy: StorePolicy,
) -> Ownership:
    """Return the owner of a lineage, or of a payment that belongs to none."""
    told, payments = list(told), list(payments)
    hints = [_hint(each) for each in told] + [_payment_hint(each) for each in payments]
    ordered = sorted(hints, key=lambda each: each.place)
    namings = await _namings(session, lineage, [each.buyer for each in ordered])
    return owner_of(namings, _claims(told, payments), policy)


async def user_of_token(session: AsyncSession, token: str | None) -> str | None:
    """Return the user whose app was given this token."""
    known = await _users_of_tokens(session, [Buyer(account_token=token)])
    return known.get(_uuid(token))


def _hint(told: Told) -> Hint:
    buyer = told.buyer
    if told.auth_mode is AuthMode.CLIENT:
        # Who shows a purchase does not speak for the store.
        buyer = Buyer(account_token=buyer.account_token)
    return Hint(place=(told.event_time.isoformat(), told.event_id), buyer=buyer)


def _payment_hint(paid: StoreTransaction) -> Hint:
    _, at, event_id = _list(paid.details[WORD])
    return Hint(place=(str(at), str(event_id)), buyer=BUYER.validate_python(paid.details[BUYER_OF]))


def _claims(told: Sequence[Told], payments: Sequence[StoreTransaction]) -> list[str]:
    """Return who has shown the purchase, in the order in which they did."""
    shown = sorted(
        (each for each in told if each.auth_mode is AuthMode.CLIENT),
        key=lambda each: each.id,
    )
    users = [each.buyer.user_id for each in shown if each.buyer.user_id]
    if users:
        return users
    return [str(each) for paid in payments for each in _list(paid.details[CLAIMS])]


def was_shown(paid: StoreTransaction) -> bool:
    """Tell whether somebody has claimed a payment."""
    return bool(paid.details[CLAIMS])


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


async def _namings(
    session: AsyncSession, lineage: Lineage, buyers: Sequence[Buyer]
) -> list[Naming]:
    tokens = await _users_of_tokens(session, buyers)
    customers = await _users_of_customers(session, lineage, buyers)
    found: list[Naming] = []
    for buyer in buyers:
        by_token = tokens.get(_uuid(buyer.account_token))
        by_customer = customers.get(buyer.customer_id)
        if by_token is not None:
            found.append(Naming(user_id=by_token, strength=Strength.TOKEN))
        elif buyer.user_id is not None and len(buyer.user_id) <= LONGEST_USER_ID:
            found.append(Naming(user_id=buyer.user_id, strength=Strength.NAMED))
        elif by_customer is not None:
            found.append(Naming(user_id=by_customer, strength=Strength.CUSTOMER))
    return found


async def _users_of_tokens(
    session: AsyncSession, buyers: Sequence[Buyer]
) -> dict[UUID | None, str]:
    tokens = {token for buyer in buyers if (token := _uuid(buyer.account_token))}
    if not tokens:
        return {}
    rows = await session.execute(
        select(User.app_account_token, User.id).where(User.app_account_token.in_(tokens))
    )
    return {row.app_account_token: row.id for row in rows}


async def _users_of_customers(
    session: AsyncSession, lineage: Lineage, buyers: Sequence[Buyer]
) -> dict[str | None, str]:
    customers = {buyer.customer_id for buyer in buyers if buyer.customer_id}
    if not customers:
        return {}
    rows = await session.execute(
        select(StoreCustomer.customer_id, StoreCustomer.user_id).where(
            StoreCustomer.source == lineage.source,
            StoreCustomer.environment == lineage.environment,
            StoreCustomer.customer_id.in_(customers),
        )
    )
    return {row.customer_id: row.user_id for row in rows}


def _uuid(token: str | None) -> UUID | None:
    try:
        return UUID(token) if token else None
    except ValueError:
        return None
