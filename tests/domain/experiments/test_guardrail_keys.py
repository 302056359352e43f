"""How guardrails are called."""

import pytest

from medici.domain.experiments.guardrails.errors import UnknownGuardrail
from medici.domain.experiments.guardrails.keys import (
    Bound,
    Gate,
    GateKey,
    GuardrailKey,
    parse_guardrail,
    parse_guardrails,
)

LEAST, MOST = Bound.AT_LEAST, Bound.AT_MOST


class TestParseGuardrail:
    @pytest.mark.parametrize(
        ("key", "name", "bound"),
        [
            ("render_success_rate_min", "render_success_rate", LEAST),
            ("p95_latency_max_ms", "p95_latency_ms", MOST),
            ("p95_latency_ms_max", "p95_latency_ms", MOST),
            ("avg_cost_per_render_max_usd", "avg_cost_per_render_usd", MOST),
            ("avg_cost_per_render_usd_max", "avg_cost_per_render_usd", MOST),
            ("avg_cost_max_usd", "avg_cost_per_render_usd", MOST),
            ("preview_to_final_rate_min", "preview_to_final_rate", LEAST),
            ("checkout_to_paid_rate_min", "checkout_to_paid_rate", LEAST),
            ("paid_conversion_rate_min", "paid_conversion_rate", LEAST),
            ("active_paid_users_min", "active_paid_users", LEAST),
            ("queue_queued_jobs_max", "queue_queued_jobs", MOST),
            ("queue_backlog_max", "queue_queued_jobs", MOST),
            ("Avg_Latency_Max_Ms", "avg_latency_ms", MOST),
            ("credits_per_user_max", "credits_per_user", MOST),
            ("event:paywall_viewed_min", "event:paywall_viewed", LEAST),
        ],
    )
    def test_finds_the_metric_and_the_side(self, key: str, name: str, bound: Bound) -> None:
        found = parse_guardrail(key)

        assert isinstance(found, GuardrailKey)
        assert (found.name, found.bound) == (name, bound)

    @pytest.mark.parametrize(
        ("key", "gate"),
        [
            ("render_events_min", Gate.RENDER_EVENTS),
            ("total_assigned_users_min", Gate.ASSIGNED_USERS),
        ],
    )
    def test_tells_gates_apart(self, key: str, gate: Gate) -> None:
        assert parse_guardrail(key) == GateKey(gate=gate)

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "_min",
            "render_success_rate",
            "happiness_min",
            "render_success_rate_minimum",
            "queue_queued_jobs",
            "paid_conversion_rate_7d_min",
            "net_revenue_per_visitor_min",
        ],
    )
    def test_refuses_what_nobody_measures(self, key: str) -> None:
        with pytest.raises(UnknownGuardrail) as refused:
            parse_guardrail(key)

        assert refused.value.code == "unknown_guardrail"


class TestParseGuardrails:
    def test_keeps_gates_and_guardrails_apart(self) -> None:
        found = parse_guardrails({"render_events_min": 200, "render_success_rate_min": 85})

        assert found.gates == {Gate.RENDER_EVENTS: 200.0}
        assert [(each.key.name, each.threshold) for each in found.guards] == [
            ("render_success_rate", 85.0)
        ]

    @pytest.mark.parametrize("threshold", ["85", None, True, float("nan"), [85]])
    def test_refuses_a_threshold_that_is_no_number(self, threshold: object) -> None:
        with pytest.raises(UnknownGuardrail):
            parse_guardrails({"render_success_rate_min": threshold})
