"""How many users an experiment needs, before it is begun or while it runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.models import Experiment
from medici.domain.experiments import reading
from medici.domain.experiments.analysis.deciding import measured_baseline
from medici.domain.experiments.analysis.errors import Unfit, UnfitSize
from medici.domain.experiments.analysis.power import Aim, Baseline, Sizing, sizings
from medici.domain.experiments.metrics.keys import Unit
from medici.domain.experiments.variables import experiment_policy
from medici.doors.http.auth import Operator
from medici.doors.http.sessions import ReadSession

router = APIRouter(prefix="/v1/admin/experiments", tags=["experiments"])

FEWEST = 2  # variants that can be compared

Percent = Annotated[float | None, Query(description="A percentage, such as 5 for 5 %.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerOut:
    """``baseline`` is a percentage for shares of users, else in the metric's own unit."""

    primary_metric: str | None
    baseline: float
    mde_pct: float
    power: float
    alpha: float
    variants: int
    users_per_day: float | None
    required: Sequence[Sizing]


@router.get("/power")
async def sample_sizes(
    _operator: Operator,
    session: ReadSession,
    baseline: Percent = None,
    experiment_id: Annotated[str | None, Query(max_length=128)] = None,
    mde_pct: Annotated[float | None, Query(ge=0.01, le=1000)] = None,
    power: Annotated[float, Query(ge=0.5, le=0.999)] = 0.8,
    alpha: Annotated[float | None, Query(ge=0.001, le=0.2)] = None,
    users_per_day: Annotated[float | None, Query(ge=0.01)] = None,
    variants: Annotated[int | None, Query(ge=FEWEST, le=100)] = None,
) -> PowerOut:
    """Tell how many users each mode of analysis needs to find an effect of ``mde_pct``.

    With ``experiment_id`` the baseline is what its control has come to, by its own metric, and the
    number of variants is its own; otherwise ``baseline`` is a share of users in percent. What is
    left out comes from the variables ``experiment_default_mde_pct`` and
    ``experiment_significance_alpha``. ``days`` needs ``users_per_day``, of all variants together.
    """
    policy, experiment = await experiment_policy(session), None
    if experiment_id is not None:
        experiment, _ = await reading.experiment(session, experiment_id)
    found = _given(baseline) or await _measured(session, experiment)
    aim = Aim(
        mde=mde_pct / 100 if mde_pct else policy.mde,
        power=power,
        alpha=alpha or policy.alpha,
        variants=variants or max(FEWEST, len(experiment.variants) if experiment else FEWEST),
        tuning_n=(experiment and experiment.sequential_tuning_n) or policy.tuning_n,
    )
    return PowerOut(
        primary_metric=experiment.primary_metric if experiment else None,
        baseline=_shown(found),
        mde_pct=round(100 * aim.mde, 6),
        power=power,
        alpha=aim.alpha,
        variants=aim.variants,
        users_per_day=users_per_day,
        required=sizings(found, aim, users_per_day=users_per_day),
    )


async def _measured(session: AsyncSession, experiment: Experiment | None) -> Baseline:
    if experiment is None:
        raise UnfitSize(Unfit.NO_BASELINE, "give a baseline, or an experiment that has one")
    return await measured_baseline(session, experiment)


def _given(percent: float | None) -> Baseline | None:
    if percent is None:
        return None
    if not 0 < percent < 100:
        raise UnfitSize(Unfit.BASELINE_RANGE, "a baseline lies between 0 and 100 percent")
    return Baseline(value=percent / 100)


def _shown(baseline: Baseline) -> float:
    return round(baseline.value * (100 if baseline.unit is Unit.SHARE else 1), 6)
