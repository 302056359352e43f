"""When a guardrail is breached, and whose doing that is."""

from collections.abc import Mapping

import pytest

from medici.domain.experiments.analysis.sums import Sums
from medici.domain.experiments.guardrails.judging import (
    Breach,
    Figures,
    Measured,
    Scope,
    Strictness,
    Verdict,
    judge,
)
from medici.domain.experiments.guardrails.keys import Bound, parse_guardrails
from medici.domain.experiments.guardrails.values import Value
from medici.domain.experiments.variables import GuardrailMode

POINT = Strictness(mode=GuardrailMode.POINT, ignore_global=False)
CONFIDENT = Strictness(mode=GuardrailMode.CONFIDENT, ignore_global=False)


def renders(completed: int, failed: int) -> Figures:
    """Return figures of users with one render each."""
    n = completed + failed
    sums = Sums(n=n, num=completed, num_sq=completed, den=n, den_sq=n, cross=completed)
    return Figures(assigned_users=n, render_events=n, sums={"render_success_rate": sums})


def together(variants: Mapping[str, Figures], queued_jobs: int = 0) -> Measured:
    figures = list(variants.values())
    sums = Sums()
    for each in figures:
        sums += each.sums.get("render_success_rate", Sums())
    return Measured(
        control_variant_id="control",
        everybody=Figures(
            assigned_users=sum(each.assigned_users for each in figures),
            render_events=sum(each.render_events for each in figures),
            sums={"render_success_rate": sums},
        ),
        variants=variants,
        queued_jobs=queued_jobs,
    )


def judged(
    variants: Mapping[str, Figures],
    strictness: Strictness = POINT,
    /,
    **guardrails: float,
) -> Verdict:
    wanted = guardrails or {"render_success_rate_min": 85}
    return judge(parse_guardrails(wanted), together(variants), strictness)


class TestJudge:
    def test_names_the_variant_whose_doing_it_is(self) -> None:
        verdict = judged({"control": renders(93, 7), "b": renders(71, 29)})

        assert verdict.breaches == (
            Breach(
                metric_key="render_success_rate",
                operator=Bound.AT_LEAST,
                threshold=85,
                actual=71,
                variant_id="b",
                scope=Scope.VARIANT,
                control_actual=93,
            ),
        )
        assert verdict.breaches[0].message == "render_success_rate is 71 for b, below 85"

    def test_finds_a_variant_that_the_others_would_hide(self) -> None:
        verdict = judged({"control": renders(990, 10), "b": renders(20, 20)})

        assert [(each.variant_id, each.actual) for each in verdict.breaches] == [("b", 50)]

    def test_takes_equal_to_the_threshold_as_fine(self) -> None:
        assert not judged({"control": renders(85, 15), "b": renders(85, 15)}).breached

    def test_does_not_look_at_less_than_thirty_alone(self) -> None:
        verdict = judged({"control": renders(971, 0), "b": renders(0, 29)})

        assert not verdict.breached

    def test_sees_all_variants_together_however_few(self) -> None:
        (breach,) = judged({"control": renders(1, 5), "b": renders(1, 5)}).breaches

        assert (breach.scope, breach.variant_id, breach.actual) == (Scope.OVERALL, None, 16.6667)

    def test_calls_global_what_control_breaches_too(self) -> None:
        (breach,) = judged({"control": renders(60, 40), "b": renders(62, 38)}).breaches

        assert (breach.scope, breach.variant_id) == (Scope.GLOBAL, None)
        assert (breach.actual, breach.control_actual) == (61, 60)

    def test_lets_global_breaches_pass_where_that_is_wanted(self) -> None:
        ignoring = Strictness(mode=GuardrailMode.POINT, ignore_global=True)

        assert not judged({"control": renders(60, 40), "b": renders(62, 38)}, ignoring).breached
        assert judged({"control": renders(99, 1), "b": renders(62, 38)}, ignoring).breached

    def test_blames_nobody_else_for_the_only_variant(self) -> None:
        (breach,) = judged({"control": renders(60, 40)}).breaches

        assert (breach.scope, breach.variant_id) == (Scope.OVERALL, None)

    def test_breaches_nothing_without_data(self) -> None:
        assert not judged({}).breached
        assert not judged({"b": renders(0, 0)}, p95_latency_max_ms=1).breached

    def test_takes_no_paying_user_as_data(self) -> None:
        (breach,) = judged({"b": Figures(assigned_users=5)}, active_paid_users_min=1).breaches

        assert (breach.actual, breach.scope) == (0, Scope.OVERALL)

    def test_measures_the_queue_of_the_platform(self) -> None:
        guardrails = parse_guardrails({"queue_backlog_max": 50})

        assert not judge(guardrails, together({}, queued_jobs=50), POINT).breached
        (breach,) = judge(guardrails, together({}, queued_jobs=51), POINT).breaches
        assert (breach.metric_key, breach.actual, breach.scope) == (
            "queue_queued_jobs",
            51,
            Scope.GLOBAL,
        )

    @pytest.mark.parametrize(
        ("gates", "reason"),
        [
            ({"render_events_min": 200.0}, "render_events_below_min(100 < 200)"),
            ({"total_assigned_users_min": 101.0}, "assigned_users_below_min(100 < 101)"),
            ({"render_events_min": 100.0, "total_assigned_users_min": 100.0}, None),
        ],
    )
    def test_judges_nothing_below_a_gate(self, gates: dict[str, float], reason: str | None) -> None:
        verdict = judged({"b": renders(0, 100)}, render_success_rate_min=85, **gates)

        assert verdict.skipped_reason == reason
        assert verdict.breached is (reason is None)


class TestConfidentMode:
    def test_needs_more_than_bad_luck(self) -> None:
        unlucky = {"control": renders(180, 20), "b": renders(168, 32)}

        assert judged(unlucky).breached
        assert not judged(unlucky, CONFIDENT).breached

    def test_still_sees_what_is_bad(self) -> None:
        (breach,) = judged({"control": renders(180, 20), "b": renders(142, 58)}, CONFIDENT).breaches

        assert (breach.variant_id, breach.actual) == ("b", 71)

    def test_looks_at_the_lower_bound_of_a_latency(self) -> None:
        slow = Figures(p95_latency=Value(actual=13_000, observations=100, low=11_000, high=15_000))
        guardrails = parse_guardrails({"p95_latency_max_ms": 12_000})
        measured = Measured(
            control_variant_id="control", everybody=slow, variants={"b": slow}, queued_jobs=0
        )

        assert judge(guardrails, measured, POINT).breached
        assert not judge(guardrails, measured, CONFIDENT).breached
