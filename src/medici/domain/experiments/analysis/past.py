"""What users did before their exposure explains part of what they did after it (CUPED).

Deng et al., 2013. For means alone, over everybody of the phase; it is shown and decides nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.experiments.analysis.people import Wanted, each_user, measured
from medici.domain.experiments.analysis.showing import interval_shown, value_shown
from medici.domain.experiments.metrics.keys import Metric, MetricKind
from medici.domain.experiments.metrics.measures import NONE, formula_of
from medici.domain.experiments.stats.cuped import cuped
from medici.domain.experiments.stats.means import variance_of, welch
from medici.domain.experiments.stats.values import CupedSample, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """A challenger against control once the past is accounted for; as it is shown."""

    value: float | None = None
    diff_ci: tuple[float, float] | None = None
    p_value: float | None = None
    variance_reduction_pct: float | None = None


NOT_ADJUSTED = Adjusted()


async def with_past(session: AsyncSession, wanted: Wanted) -> dict[str, CupedSample]:
    """Add the metric up for each variant, after exposure and in the two weeks before it."""
    if wanted.primary.kind is not MetricKind.MEAN:
        return {}
    narrow = replace(wanted, described=())
    both = union_all(_told(narrow), _told(replace(narrow, past=True))).subquery("both")
    user = (
        select(both.c.variant_id, *(func.sum(both.c[name]).label(name) for name in ("post", "pre")))
        .group_by(both.c.user_id, both.c.variant_id)
        .subquery("user")
    )
    post, pre = user.c.post, user.c.pre
    sums = {
        "n": func.count(),
        "post": func.sum(post),
        "post_sq": func.sum(post * post),
        "pre": func.sum(pre),
        "pre_sq": func.sum(pre * pre),
        "cross": func.sum(post * pre),
    }
    columns = [column.label(name) for name, column in sums.items()]
    rows = await session.execute(select(user.c.variant_id, *columns).group_by(user.c.variant_id))
    return {
        row["variant_id"]: CupedSample(**{name: row[name] for name in sums})
        for row in rows.mappings()
    }


def adjusted(
    metric: Metric,
    samples: Mapping[str, CupedSample],
    *,
    control: str,
    variant_id: str,
    alpha: float,
) -> Adjusted:
    """Compare a challenger with control, less what their pasts explain."""
    if variant_id == control or not {control, variant_id} <= samples.keys():
        return NOT_ADJUSTED
    base, ours = cuped(samples[control], samples[variant_id])
    found = welch(base, ours, alpha)
    return Adjusted(
        value=value_shown(ours.total / ours.n, metric.unit),
        diff_ci=interval_shown(found.diff_ci, metric.unit),
        p_value=found.p_value,
        variance_reduction_pct=_reduction(samples[variant_id], ours),
    )


def _told(wanted: Wanted) -> Select[Any]:
    told = each_user(wanted).subquery()
    value = formula_of(wanted.primary).numerator(measured(told, wanted))
    post, pre = (NONE, value) if wanted.past else (value, NONE)
    return select(told.c.user_id, told.c.variant_id, post.label("post"), pre.label("pre"))


def _reduction(sample: CupedSample, ours: Sample) -> float | None:
    if sample.n < 2:
        return None
    before = variance_of(sample.n, sample.post, sample.post_sq)
    after = variance_of(ours.n, ours.total, ours.squares)
    return round(100 * (1 - after / before), 2) if before else None
