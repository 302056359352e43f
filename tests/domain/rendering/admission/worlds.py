"""Orders of every kind, and whatever they may find when they come: drawn at random."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from hypothesis import strategies as st

from medici.adapters.providers.request import Operation, Part, Tier
from medici.domain.ledger.models import GrantSource
from medici.domain.plans.defaults import FREE, PRO

STYLES, PROVIDERS = ("modern", "sketch"), ("painter", "sculptor")
GENEROUS, WITHDRAWN, UNHEARD_OF = "generous", "withdrawn", "unheard_of"  # plans beside the usual
MINUTES = (-30, 0, 1, 600, 3_000)  # from now; some of them are over, one of them is over just now

Life = Literal["fresh", "kept", "over", "ending"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """Credits of a wallet; both times are counted from the moment of the orders."""

    source: GrantSource
    amount: int
    priority: int | None
    begins: timedelta | None
    ends: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A day's credits that were given already: for which day, and to which plan's holder."""

    days_ago: int
    topped_up_for: str | None
    amount: int
    ends: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Somebody who orders. The wallet's clock may be ``ahead`` of the orders'."""

    plan: str | None
    subscribed: bool
    gifts: tuple[Gift, ...]
    allowances: tuple[Allowance, ...]
    has_wallet: bool
    ahead: bool
    parked: bool
    running: int
    previews: frozenset[str]  # styles that a preview was made in
    uploads: tuple[Life, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An upload by its number, one's own or another customer's."""

    foreign: bool
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One order; its customer is named by the place in the world."""

    customer: int
    style: str
    tier: Tier
    operation: Operation
    part: Part
    image: Named | None
    mask: Named | None
    registered: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    customers: tuple[Customer, ...]
    wishes: tuple[Wish, ...]
    enabled: frozenset[str]
    charges: bool
    gives_allowances: bool
    reset_hour: int  # at noon it either has been or has not
    previews_first: bool
    most_in_flight: int


def _mostly(usual: bool) -> st.SearchStrategy[bool]:
    return st.sampled_from([usual] * 7 + [not usual])


def _minutes(*others: None) -> st.SearchStrategy[timedelta | None]:
    return st.sampled_from([*others, *(timedelta(minutes=count) for count in MINUTES)])


GIFTS = st.builds(
    Gift,
    source=st.sampled_from([source for source in GrantSource if source != GrantSource.PLAN_DAILY]),
    amount=st.integers(1, 5),
    priority=st.sampled_from([None, None, 5, 40]),
    begins=_minutes(None, None, None),
    ends=_minutes(None, None, None),
)
ALLOWANCES = st.builds(
    Allowance,
    days_ago=st.integers(0, 1),
    topped_up_for=st.sampled_from([None, None, PRO]),
    amount=st.sampled_from([1, 3, 80]),
    ends=_minutes(),
)
LIVES: tuple[Life, ...] = ("fresh", "fresh", "fresh", "fresh", "kept", "over", "ending")
CUSTOMERS = st.builds(
    Customer,
    plan=st.sampled_from([None, FREE, PRO, GENEROUS, WITHDRAWN, UNHEARD_OF]),
    subscribed=_mostly(True),
    gifts=st.lists(GIFTS, max_size=4).map(tuple),
    allowances=st.lists(
        ALLOWANCES, max_size=2, unique_by=lambda given: (given.days_ago, given.topped_up_for)
    ).map(tuple),
    has_wallet=_mostly(True),
    ahead=_mostly(False),
    parked=st.sampled_from([False] * 15 + [True]),
    running=st.sampled_from([0, 0, 0, 1, 2]),
    previews=st.frozensets(st.sampled_from(STYLES)),
    uploads=st.lists(st.sampled_from(LIVES), min_size=1, max_size=2).map(tuple),
)
NAMED = st.builds(Named, foreign=_mostly(False), number=st.integers(0, 1))
REGISTERED = st.sampled_from(
    [frozenset(PROVIDERS)] * 7 + [frozenset({name}) for name in PROVIDERS] + [frozenset()]
)


def wishes(customers: int) -> st.SearchStrategy[Wish]:
    return st.builds(
        Wish,
        customer=st.integers(0, customers - 1),
        style=st.sampled_from(STYLES),
        tier=st.sampled_from(Tier),
        operation=st.sampled_from(Operation),
        part=st.sampled_from(Part),
        image=NAMED | st.none(),
        mask=st.none() | NAMED,
        registered=REGISTERED,
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a world of a few customers who order several times each."""
    customers = draw(st.lists(CUSTOMERS, min_size=1, max_size=3))
    ordered = st.lists(wishes(len(customers)), min_size=3, max_size=10)
    return World(
        customers=tuple(customers),
        wishes=tuple(draw(ordered)),
        enabled=draw(st.sampled_from([frozenset(PROVIDERS)] * 5 + [frozenset({"sculptor"})])),
        charges=draw(_mostly(True)),
        gives_allowances=draw(_mostly(True)),
        reset_hour=draw(st.sampled_from([0, 0, 18])),
        previews_first=draw(st.booleans()),
        most_in_flight=draw(st.sampled_from([2, 5, 10, 10])),
    )
