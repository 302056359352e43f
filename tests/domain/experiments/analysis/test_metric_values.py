"""What every metric comes to, from the facts of two users."""

from datetime import timedelta

import pytest

from medici.adapters.payments.news import Ownership, Paid
from medici.domain.events.facts import EventName, Fact
from medici.kernel.environment import Environment
from tests.domain.experiments.analysis.lab import (
    DAY,
    EXPOSED,
    HOUR,
    NOW,
    PAID,
    RENDERED,
    Lab,
    crowd,
    figure_of,
    shares,
)

CHECKOUT = Fact(name=EventName.CHECKOUT_STARTED)


async def busy(lab: Lab, primary_metric: str) -> None:
    """Let ada preview twice, fail once, take a final, check out and pay; bob preview only."""
    await lab.set_up(primary_metric=primary_metric)
    await lab.assign("after", "ada", "bob", "eve")
    await lab.assign("control", "carl")
    await lab.tell(RENDERED, "ada", "ada", "bob")
    await lab.tell(RENDERED, "ada", status="failed", latency_ms=1_000, cost_micros=5_000)
    await lab.tell(RENDERED, "ada", tier="final", latency_ms=9_000, cost_micros=40_000, credits=4)
    await lab.tell(Fact(name="credits_consumed", credits=3), "bob")
    await lab.tell(CHECKOUT, "ada")
    await lab.tell(Fact(name="web_checkout_started", trusted=False), "bob")
    await lab.tell(PAID, "ada")
    await lab.pay("ada", 1_999)
    await lab.pay("bob", 500, plan_id=None, pack_id="small", paid=Paid.ONCE, refunded_minor=100)


class TestMetricValues:
    @pytest.mark.parametrize(
        ("key", "value", "successes", "trials"),
        [
            ("paid_conversion_rate", 33.33, 1, 3),
            ("checkout_start_rate", 66.67, 2, 3),
            ("event:checkout_started", 33.33, 1, 3),
            ("preview_to_final_rate", 50.0, 1, 2),
            ("final_to_checkout_rate", 100.0, 1, 1),
            ("checkout_to_paid_rate", 50.0, 1, 2),
            ("render_success_rate", 80.0, 4, 5),
            ("avg_cost_per_render_usd", 0.024, None, 5),
            ("avg_latency_ms", 4_400.0, None, 5),
            ("cost_per_user_usd", 0.04, None, 3),
            ("net_revenue_per_visitor", 7.996667, None, 3),
            ("credits_per_user", 3.3333, None, 3),
            ("renders_per_user", 1.3333, None, 3),
            ("p95_latency_ms", 8_000.0, None, 5),
        ],
    )
    async def test_are_those_of_the_facts(
        self, lab: Lab, key: str, value: float, successes: int | None, trials: int
    ) -> None:
        await busy(lab, key)

        after = figure_of(await lab.performance(), "after")

        assert after.primary_metric_value == value
        assert (after.primary_metric_successes, after.primary_metric_trials) == (successes, trials)

    @pytest.mark.parametrize(
        "key", ["checkout_start_rate_6h", "avg_latency_ms_6h", "p95_latency_ms_6h"]
    )
    async def test_keep_to_their_span(self, lab: Lab, key: str) -> None:
        await lab.set_up(primary_metric=key)
        await lab.assign("after", "ada", "bob")
        for fact in (CHECKOUT, RENDERED):
            late = EXPOSED + 6 * HOUR
            await lab.tell(fact, "ada", at=late - timedelta(microseconds=1), latency_ms=1_000)
            await lab.tell(fact, "bob", at=late, latency_ms=3_000)

        after = figure_of(await lab.performance(), "after")

        assert after.primary_metric_trials == (2 if key.startswith("checkout") else 1)
        assert after.primary_metric_value == (50.0 if key.startswith("checkout") else 1_000.0)
        assert (after.checkout_started_users, after.p95_latency_ms) == (2, 2_900.0)

    async def test_bound_how_long_payments_count(self, lab: Lab) -> None:
        await lab.set_up(primary_metric="net_revenue_per_visitor_1d")
        await lab.assign("after", "ada")
        await lab.pay("ada", 1_000, at=EXPOSED + HOUR)
        await lab.pay("ada", 1_000, at=EXPOSED + DAY)
        await lab.pay("ada", 1_000, at=EXPOSED - HOUR)

        assert figure_of(await lab.performance(), "after").primary_metric_value == 10.0

    async def test_count_no_revenue_but_what_stores_confirmed_in_dollars(self, lab: Lab) -> None:
        await lab.set_up(primary_metric="net_revenue_per_visitor")
        await lab.assign("after", "ada")
        await lab.pay("ada", 100, environment=Environment.SANDBOX)
        await lab.pay("ada", 200, currency="EUR")
        await lab.pay("ada", 400, paid=Paid.TRIAL)
        await lab.pay("ada", 800, ownership=Ownership.FAMILY)
        await lab.pay("ada", 1_600, currency="usd")

        assert figure_of(await lab.performance(), "after").primary_metric_value == 16.0

    async def test_take_a_client_at_its_word_only_for_what_it_alone_knows(self, lab: Lab) -> None:
        await lab.set_up(primary_metric="event:render_status_updated")
        await lab.assign("after", "ada", "bob")
        await lab.tell(RENDERED, "ada", trusted=False)
        await lab.tell(PAID, "ada", trusted=False)
        await lab.tell(CHECKOUT, "ada", trusted=False)
        await lab.tell(RENDERED, "bob")

        told = await lab.performance()
        after = figure_of(told, "after")

        assert shares(told)["after"] == (1, 2)
        assert (after.active_paid_users, after.checkout_started_users) == (0, 1)

    async def test_know_a_trial_from_a_paid_plan(self, lab: Lab) -> None:
        await lab.set_up()
        await lab.assign("after", "trying", "converted", "paying", "lapsed", "buying_credits")
        await lab.tell(PAID, "trying", "converted", status="trialing", at=EXPOSED + HOUR)
        await lab.tell(Fact(name="trial_started"), "trying", "converted")
        await lab.tell(Fact(name="trial_converted", platform="android"), "converted")
        await lab.tell(PAID, "paying", platform="server")
        await lab.tell(PAID, "paying", at=NOW - HOUR)
        await lab.tell(Fact(name="pack_purchased", platform="ios"), "buying_credits")

        told = await lab.performance()
        after = figure_of(told, "after")

        assert shares(told)["after"] == (2, 5)
        assert after.paid_source_breakdown == {"android": 1, "unknown": 1}


class TestClusteredData:
    async def test_the_user_is_the_unit_and_not_the_render(self, lab: Lab) -> None:
        """A few users with many renders each say less than as many renders of many users."""
        await lab.set_up(primary_metric="render_success_rate")
        for variant_id, failing in (("control", 2), ("after", 6)):
            await lab.assign(variant_id, *crowd(variant_id, 20))
            await lab.tell(RENDERED, *(crowd(variant_id, 20) * 10))
            await lab.tell(RENDERED, *(crowd(variant_id, failing) * 10), status="failed")

        after = figure_of(await lab.performance(), "after")

        assert (after.metric_kind, after.test_method) == ("ratio", "ratio_delta")
        # 220 renders against 260: a test over renders would have called 20 of 220 against 60 of
        # 260 very different, at a p-value of 0.00004.
        assert after.p_value == pytest.approx(0.1053669913)
        assert (after.abs_diff, after.primary_metric_value) == (-13.986, 76.92)


class TestPast:
    async def test_explains_what_users_would_have_paid_anyway(self, lab: Lab) -> None:
        """Whoever paid before pays about as much again, and two dollars more with the variant."""
        await lab.set_up(primary_metric="net_revenue_per_visitor")
        before = [100, 900, 300, 2_000, 500, 1_400]
        noise = [0, 10, -10, 5, -5, 0]
        for variant_id, more in (("control", 0), ("after", 200)):
            people = crowd(variant_id, 6)
            await lab.assign(variant_id, *people)
            for user_id, amount, around in zip(people, before, noise, strict=True):
                await lab.pay(user_id, amount, at=EXPOSED - DAY)
                await lab.pay(user_id, amount + more + around)
        await lab.pay("after-0", 50_000, at=EXPOSED - 14 * DAY - HOUR)  # too long ago

        after = figure_of(await lab.performance(), "after")

        assert (after.primary_metric_value, after.cuped_value) == (10.666667, 10.666667)
        assert after.p_value == pytest.approx(0.6438359843)
        assert after.cuped_p_value is not None
        assert after.cuped_p_value < 1e-9
        assert after.cuped_variance_reduction_pct == pytest.approx(99.99, abs=0.01)
        low, high = after.cuped_abs_diff_ci or (0, 0)
        assert (low < 2.0 < high, high - low < 0.2) == (True, True)

    async def test_is_told_of_means_alone(self, lab: Lab) -> None:
        await busy(lab, "render_success_rate")

        after = figure_of(await lab.performance(), "after")

        assert (after.cuped_value, after.cuped_p_value, after.cuped_abs_diff_ci) == (None,) * 3
