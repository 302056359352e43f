"""The JSON of an experiment, as operators read it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from medici.domain.assignments.models import (
    AnalysisMode,
    Experiment,
    ExperimentRuntime,
    ExperimentStatus,
    ExposureMode,
    RolloutStatus,
)


class VariantOut(BaseModel):
    variant_id: str
    weight: int | float
    config: dict[str, object]


class RolloutStateOut(BaseModel):
    """Where the ladder towards a winner stands. ``history`` has its last 20 steps."""

    winner_variant_id: str | None
    rollout_percent: int
    status: RolloutStatus
    last_action_at: datetime | None
    last_reason: str | None
    history: list[dict[str, Any]]
    final_result: dict[str, object] | None

    @classmethod
    def of(cls, runtime: ExperimentRuntime) -> "RolloutStateOut":
        return cls(
            winner_variant_id=runtime.winner_variant_id,
            rollout_percent=runtime.rollout_percent,
            status=runtime.rollout_status,
            last_action_at=runtime.rollout_changed_at,
            last_reason=runtime.rollout_reason,
            history=runtime.rollout_history,
            final_result=runtime.final_result,
        )


class ExperimentOut(BaseModel):
    """An experiment as it was set up, and how it stands.

    ``warnings`` are sentences for whoever set it up. ``seed`` and ``bucket_version`` are what users
    are hashed with.
    """

    experiment_id: str
    name: str
    description: str | None
    is_active: bool
    status: ExperimentStatus
    assignment_unit: str
    primary_metric: str
    guardrails: dict[str, int | float]
    variants: list[VariantOut]
    control_variant_id: str
    traffic_percent: float
    targeting: dict[str, object]
    namespace: dict[str, object] | None
    overrides: dict[str, str]
    exposure_mode: ExposureMode
    analysis_mode: AnalysisMode
    planned_sample_size: int | None
    sequential_tuning_n: int | None
    seed: str
    bucket_version: int
    phase: int
    phase_started_at: datetime | None
    revision: int
    rollout_state: RolloutStateOut
    guardrail_violation_streak: int
    last_guardrail_checked_at: datetime | None
    last_guardrail_breached: bool | None
    last_guardrail_pause: dict[str, object] | None
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime
    warnings: list[str]

    @classmethod
    def of(
        cls, experiment: Experiment, runtime: ExperimentRuntime, warnings: Iterable[str]
    ) -> "ExperimentOut":
        same = {
            name: getattr(experiment, name)
            for name in cls.model_fields
            if hasattr(experiment, name)
        }
        return cls.model_validate(
            {
                **same,
                "rollout_state": RolloutStateOut.of(runtime),
                "guardrail_violation_streak": runtime.violation_streak,
                "last_guardrail_checked_at": runtime.guardrails_checked_at,
                "last_guardrail_breached": runtime.guardrails_breached,
                "last_guardrail_pause": runtime.guardrail_pause,
                "warnings": list(warnings),
            }
        )
