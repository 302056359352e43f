"""Runs as JSON objects, with the names that dashboards and receivers of webhooks know."""

from typing import TypeAlias

from medici.domain.experiments import telling
from medici.domain.experiments.service.automation import AutomationRun
from medici.domain.experiments.service.guarding import Evaluation, GuardrailRun
from medici.domain.experiments.service.notifying import TYPE
from medici.domain.experiments.service.rollout import RolloutEvaluation, RolloutRun

Report: TypeAlias = dict[str, object]


def of_guardrails(run: GuardrailRun) -> Report:
    return {
        "checked_at": run.look.now,
        "window_hours": run.look.hours,
        "dry_run": run.look.dry_run,
        "required_streak": run.required_streak,
        "evaluated_count": len(run.evaluations),
        "breached_count": run.breached_count,
        "paused_count": run.paused_count,
        "evaluations": [_of_evaluation(each) for each in run.evaluations],
    }


def of_rollout(told: RolloutEvaluation) -> Report:
    return {
        "experiment_id": told.experiment_id,
        "checked_at": told.look.now,
        "dry_run": told.look.dry_run,
        "window_hours": told.look.hours,
        "winner_variant_id": told.winner_variant_id,
        "recommendation_reason": told.recommendation_reason,
        "guardrails_clear": told.guardrails_clear,
        "blocked_reason": told.blocked_reason,
        "current_rollout_percent": told.current_percent,
        "next_rollout_percent": told.next_percent,
        "rollout_status": told.status,
        "applied": told.applied,
        "performance_total_assigned_users": told.users,
        "minimum_sample_size": told.minimum_sample_size,
        "significance_alpha": told.alpha,
        "next_step_not_before": told.next_step_not_before,
    }


def of_rollouts(run: RolloutRun) -> Report:
    return {
        "checked_at": run.look.now,
        "dry_run": run.look.dry_run,
        "window_hours": run.look.hours,
        "evaluated_count": len(run.results),
        "applied_count": len(run.applied),
        "blocked_count": len(run.blocked),
        "results": [of_rollout(each) for each in run.results],
    }


def of_automation(run: AutomationRun) -> Report:
    return {
        "run_id": str(run.run_id),
        "checked_at": run.look.now,
        "dry_run": run.look.dry_run,
        "window_hours": run.look.hours,
        "rollout_limit": run.rollout_limit,
        "duration_ms": run.duration_ms,
        "guardrails": of_guardrails(run.guardrails),
        "rollouts": of_rollouts(run.rollouts),
        "errors": [each.told() for each in run.errors],
    }


def message(run: AutomationRun) -> Report:
    """Return what the operators' own webhook is sent about a run."""
    return {
        "type": TYPE,
        "checked_at": run.look.now,
        "dry_run": run.look.dry_run,
        "window_hours": run.look.hours,
        "rollout_limit": run.rollout_limit,
        "summary": run.summary,
        "result": of_automation(run),
    }


def _of_evaluation(told: Evaluation) -> Report:
    verdict = told.verdict
    return {
        "experiment_id": told.experiment_id,
        "name": told.name,
        "is_active": told.is_active,
        "breached": verdict.breached,
        "paused": told.paused,
        "violation_streak": told.violation_streak,
        "required_streak": told.required_streak,
        "skipped": verdict.skipped_reason is not None,
        "skipped_reason": verdict.skipped_reason,
        "breach_count": len(verdict.breaches),
        "guardrails": dict(told.guardrails),
        "breaches": [telling.breach(each) for each in verdict.breaches],
        "would_pause": told.would_pause,
    }
