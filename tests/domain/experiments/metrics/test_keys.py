"""From keys to metrics."""

from datetime import timedelta

import pytest

from medici.domain.experiments.metrics.errors import UnknownPrimaryMetric
from medici.domain.experiments.metrics.keys import METRICS, Good, MetricKind, Unit, parse_metric


class TestParseMetric:
    @pytest.mark.parametrize("key", sorted(METRICS))
    def test_knows_every_metric_by_its_own_name(self, key: str) -> None:
        assert parse_metric(key).key == key

    @pytest.mark.parametrize(
        ("key", "named"),
        [
            ("conversion", "paid_conversion_rate"),
            ("conversion_rate", "paid_conversion_rate"),
            ("upgrade_conversion", "paid_conversion_rate"),
            ("upgrade_conversion_rate", "paid_conversion_rate"),
            ("subscription_start_rate", "paid_conversion_rate"),
            ("Subscription", "paid_conversion_rate"),
            ("avg_cost_usd", "avg_cost_per_render_usd"),
            ("  Render_Success_Rate ", "render_success_rate"),
            ("event:Paywall_Viewed", "event:paywall_viewed"),
        ],
    )
    def test_knows_aliases_and_prefixes_in_whatever_case(self, key: str, named: str) -> None:
        assert parse_metric(key).key == named

    @pytest.mark.parametrize(
        ("key", "named", "span"),
        [
            ("upgrade_conversion_7d", "paid_conversion_rate", timedelta(days=7)),
            ("checkout_start_rate_48h", "checkout_start_rate", timedelta(hours=48)),
            ("event:paywall_viewed_1d", "event:paywall_viewed", timedelta(days=1)),
            ("CONVERSION_14D", "paid_conversion_rate", timedelta(days=14)),
        ],
    )
    def test_takes_how_long_outcomes_count_from_the_end(
        self, key: str, named: str, span: timedelta
    ) -> None:
        metric = parse_metric(key)

        assert (metric.key, metric.span) == (named, span)

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "nonsense",
            "my_conversion",  # whole keys and prefixes, never what merely contains one
            "conversion_rates",
            "render_success",
            "render_success_rate_0d",
            "render_success_rate_7w",
            "_7d",
            "event:",
            "event:9lives",
            "event:" + "a" * 65,
            "events:paywall_viewed",
        ],
    )
    def test_refuses_what_names_none(self, key: str) -> None:
        with pytest.raises(UnknownPrimaryMetric) as refused:
            parse_metric(key)

        assert refused.value.code == "unknown_primary_metric"

    def test_tells_kind_direction_and_unit(self) -> None:
        cost = parse_metric("avg_cost_usd")
        latency = parse_metric("p95_latency_ms")

        assert (cost.kind, cost.good, cost.unit) == (MetricKind.RATIO, Good.LOWER, Unit.USD)
        assert (latency.is_tested, cost.is_tested) == (False, True)
        assert cost.is_better(1.0, than=2.0)
        assert parse_metric("conversion").is_better(2.0, than=1.0)
