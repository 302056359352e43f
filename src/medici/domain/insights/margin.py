"""Margin: what renders earned against what they cost, by whatever tells renders apart.

A plan earns what was paid for it in the window. That is spread over the completed renders of the
plan by the credits that they took; what was paid for packs over all completed renders alike. Where
no credits were taken renders count alike. Costs are what providers were measured to charge for
every render that ended, also for one that failed. Only US dollars enter a margin.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from medici.domain.analytics.queries import Cell
from medici.domain.insights.figures import USD, dollars, plain
from medici.domain.insights.payments import Income
from medici.domain.insights.tallies import Tally, is_render, tallies_by, tally

METHOD = (
    "Revenue is what was paid in the window less refunds, in US dollars. A plan's is spread over "
    "its completed renders by credits, that of packs over all completed renders by credits. "
    "Fees are estimated from the variables analytics_payment_fee_*_pct. Costs are those that "
    "providers reported or their price lists give, failed renders included."
)
ZERO = Decimal(0)
SMALLEST = Decimal("0.000001")


class By(StrEnum):
    """What margins are told apart by."""

    PLAN = "plan"
    PROVIDER = "provider"
    MODEL = "model"
    OPERATION = "operation"
    TIER = "tier"
    PLATFORM = "platform"
    USER = "user"

    @property
    def key(self) -> str:
        """Return what the cells call it."""
        return "plan_id" if self is By.PLAN else self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class PerRender:
    """Of one completed render, in US dollars."""

    revenue: str
    cost: str
    margin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginFigure:
    """Amounts are US dollars; ``key`` is None for the total, and "" where nothing is known."""

    key: str | None
    renders: int
    completed: int
    credits: int
    revenue: str
    payment_fees: str
    provider_cost: str
    margin: str
    margin_percent: float | None
    per_render: PerRender | None

    @classmethod
    def of(cls, key: str | None, done: Tally, earned: Decimal, kept: Decimal) -> "MarginFigure":
        """Put a figure together; ``kept`` is what stores keep of what was earned."""
        cost = dollars(done.cost_micros)
        margin = earned - kept - cost
        return cls(
            key=key,
            renders=done.finished + done.canceled,
            completed=done.completed,
            credits=done.credits,
            revenue=plain(earned),
            payment_fees=plain(kept),
            provider_cost=plain(cost),
            margin=plain(margin),
            margin_percent=round(float(100 * margin / earned), 2) if earned else None,
            per_render=_per_render(done.completed, earned - kept, cost),
        )


def _per_render(completed: int, earned: Decimal, cost: Decimal) -> PerRender | None:
    if not completed:
        return None
    return PerRender(
        revenue=plain(earned / completed),
        cost=plain(cost / completed),
        margin=plain((earned - cost) / completed),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """Dollars that a plan (None: packs) brought, and what of it the stores keep."""

    net: Decimal = ZERO
    kept: Decimal = ZERO

    def __add__(self, other: "Earned") -> "Earned":
        return Earned(net=self.net + other.net, kept=self.kept + other.kept)

    def share(self, part: int, whole: int) -> "Earned":
        if not whole:
            return Earned()
        return Earned(net=self.net * part / whole, kept=self.kept * part / whole)


def earned_by_plan(
    incomes: Iterable[Income], kept: Mapping[str, Decimal]
) -> dict[str | None, Earned]:
    """Add up the dollars of each plan; those of packs stand under None."""
    found: dict[str | None, Earned] = defaultdict(Earned)
    for each in incomes:
        if each.currency == USD:
            share = kept.get(each.source, ZERO)
            found[each.plan_id] += Earned(net=each.net, kept=each.net * share)
    return dict(found)


def total_margin(cells: Sequence[Cell], earned: Mapping[str | None, Earned]) -> MarginFigure:
    """Hold everything that was earned against everything that renders cost."""
    whole = sum(earned.values(), Earned())
    return MarginFigure.of(None, tally(cells), whole.net, whole.kept)


def margins(
    cells: Sequence[Cell], earned: Mapping[str | None, Earned], by: By
) -> list[MarginFigure]:
    """Return the margin of each value, and what could be attributed to none under ""."""
    done = tallies_by(cells, by.key)
    attributed = _attributed(cells, earned, by.key)
    if by is By.PLAN:
        _add_idle_plans(cells, earned, done, attributed)
    figures = [
        MarginFigure.of(value, each, attributed[value].net, attributed[value].kept)
        for value, each in done.items()
        if each.finished or each.canceled or value in attributed
    ]
    whole, told = sum(earned.values(), Earned()), sum(attributed.values(), Earned())
    if abs(whole.net - told.net) > SMALLEST:
        figures.append(MarginFigure.of("", Tally(), whole.net - told.net, whole.kept - told.kept))
    return sorted(figures, key=lambda figure: (-Decimal(figure.revenue), figure.key or ""))


def _add_idle_plans(
    cells: Sequence[Cell],
    earned: Mapping[str | None, Earned],
    done: dict[str, Tally],
    attributed: defaultdict[str, Earned],
) -> None:
    """Have plans told that were paid for and that nobody rendered with."""
    weights = _weights(cells, "plan_id")
    for plan_id, brought in earned.items():
        if plan_id is not None and not weights[plan_id]:
            attributed[plan_id] += brought
            done.setdefault(plan_id, Tally())


def _attributed(
    cells: Sequence[Cell], earned: Mapping[str | None, Earned], key: str
) -> defaultdict[str, Earned]:
    of_plans = _weights(cells, "plan_id")
    everything = sum(of_plans.values())
    found: defaultdict[str, Earned] = defaultdict(Earned)
    for cell in cells:
        weight, value = _weight(cell), getattr(cell, key)
        if not weight or not value:
            continue
        plan = earned.get(cell.plan_id, Earned()).share(weight, of_plans[cell.plan_id])
        found[value] += plan + earned.get(None, Earned()).share(weight, everything)
    return found


def _weights(cells: Sequence[Cell], key: str) -> defaultdict[str, int]:
    found: defaultdict[str, int] = defaultdict(int)
    for cell in cells:
        found[getattr(cell, key)] += _weight(cell)
    return found


def _weight(cell: Cell) -> int:
    if not is_render(cell):
        return 0
    done = Tally()
    done.add(cell)
    return done.credits or done.completed
