"""What operators can tune about experiments while everything runs."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.variables import HOLDOUT_PERCENT
from medici.domain.plans.queries import load_variables
from medici.domain.plans.variables import Tunable, Variables


class GuardrailMode(StrEnum):
    POINT = "point"  # the measured value decides
    CONFIDENT = "confident"  # its one-sided 95 % bound does


SIGNIFICANCE_ALPHA = Tunable(
    key="experiment_significance_alpha",
    default=0.05,
    minimum=0.001,
    maximum=0.2,
    description="The share of experiments without any effect that may be called significant.",
)
MINIMUM_SAMPLE_SIZE = Tunable(
    key="experiment_primary_metric_min_sample_size",
    default=100,
    minimum=10,
    description="How many users each variant needs before anything is said of it.",
)
SEQUENTIAL_TUNING_N = Tunable(
    key="experiment_sequential_tuning_n",
    default=2000,
    minimum=100,
    maximum=10_000_000,
    description="The number of users at which the always-valid test is sharpest; of new phases.",
)
CONSECUTIVE_RUNS_REQUIRED = Tunable(
    key="experiment_guardrail_consecutive_runs_required",
    default=2,
    minimum=1,
    maximum=1000,
    description="How many runs in a row must find a breach before an experiment is paused.",
)
GUARDRAIL_MODE = Tunable(
    key="experiment_guardrail_mode",
    default=GuardrailMode.POINT.value,
    choices=frozenset(mode.value for mode in GuardrailMode),
    description="Whether the measured value breaches a guardrail, or only a confident bound of it.",
)
IGNORE_GLOBAL_BREACH = Tunable(
    key="experiment_guardrail_ignore_global_breach",
    default=False,
    description="Whether a breach that the control variant shows too is let pass.",
)
ROLLOUT_MIN_STEP_HOURS = Tunable(
    key="experiment_rollout_min_step_hours",
    default=24.0,
    minimum=0,
    maximum=8760,
    description="How long the ladder stays on a step.",
)
MIN_RUNTIME_HOURS = Tunable(
    key="experiment_min_runtime_hours",
    default=0.0,
    minimum=0,
    maximum=8760,
    description="How long a phase runs before it has a winner; 168 covers every day of the week.",
)
DEFAULT_MDE_PCT = Tunable(
    key="experiment_default_mde_pct",
    default=10.0,
    minimum=0.01,
    maximum=1000,
    description="The smallest relative effect, in percent, that sample sizes are reckoned for.",
)
AUTOMATION_ENABLED = Tunable(
    key="experiment_automation_enabled",
    default=False,
    description="Whether guardrails and the ladder act by themselves every hour.",
)
TUNABLES: tuple[Tunable[Any], ...] = (
    SIGNIFICANCE_ALPHA,
    MINIMUM_SAMPLE_SIZE,
    SEQUENTIAL_TUNING_N,
    CONSECUTIVE_RUNS_REQUIRED,
    GUARDRAIL_MODE,
    IGNORE_GLOBAL_BREACH,
    ROLLOUT_MIN_STEP_HOURS,
    MIN_RUNTIME_HOURS,
    DEFAULT_MDE_PCT,
    AUTOMATION_ENABLED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentPolicy:
    """What operators have tuned. ``mde`` is a fraction of the baseline.

    ``warnings`` names each variable whose stored value makes no sense, so that its default holds.
    """

    alpha: float
    minimum_sample_size: int
    tuning_n: int
    required_streak: int
    guardrail_mode: GuardrailMode
    ignore_global_breach: bool
    step_at_least: timedelta
    runtime_at_least: timedelta
    mde: float
    automation_enabled: bool
    holdout_percent: float
    warnings: tuple[str, ...] = ()


async def experiment_policy(session: AsyncSession) -> ExperimentPolicy:
    """Return what is tuned now."""
    return policy_of(await load_variables(session))


def policy_of(variables: Variables) -> ExperimentPolicy:
    """Read the policy out of all variables."""
    return ExperimentPolicy(
        alpha=variables[SIGNIFICANCE_ALPHA],
        minimum_sample_size=variables[MINIMUM_SAMPLE_SIZE],
        tuning_n=variables[SEQUENTIAL_TUNING_N],
        required_streak=variables[CONSECUTIVE_RUNS_REQUIRED],
        guardrail_mode=GuardrailMode(variables[GUARDRAIL_MODE]),
        ignore_global_breach=variables[IGNORE_GLOBAL_BREACH],
        step_at_least=timedelta(hours=variables[ROLLOUT_MIN_STEP_HOURS]),
        runtime_at_least=timedelta(hours=variables[MIN_RUNTIME_HOURS]),
        mde=variables[DEFAULT_MDE_PCT] / 100,
        automation_enabled=variables[AUTOMATION_ENABLED],
        holdout_percent=variables[HOLDOUT_PERCENT],
        warnings=tuple(_senseless(variables)),
    )


def _senseless(variables: Variables) -> list[str]:
    return [
        f"variable {each.key} makes no sense as it is stored; {variables[each]!r} holds"
        for each in (*TUNABLES, HOLDOUT_PERCENT)
        if each.key in variables.stored and not each.takes(variables.stored[each.key])
    ]
