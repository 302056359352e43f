"""When a canary is taken back, and when not."""

from collections import Counter

import pytest

from medici.domain.routing.canaries import Breach, Health, Limits, judge, takes_part

GOOD = Health(finished=200, failed=2, p95_latency_ms=10_000, average_cost_micros=40_000)
LIMITS = Limits(error_rate_max=None)


def but(**changes: int | None) -> Health:
    return GOOD.model_copy(update=changes)


class TestJudge:
    def test_one_that_does_as_well_stays(self) -> None:
        assert judge(GOOD, GOOD, LIMITS) == ()

    @pytest.mark.parametrize(
        ("canary", "breach"),
        [
            (but(failed=13), Breach(limit="error_rate_increase_max", allowed=5, actual=5.5)),
            (
                but(p95_latency_ms=15_001),
                Breach(limit="p95_latency_ratio_max", allowed=1.5, actual=1.5001),
            ),
            (
                but(average_cost_micros=80_000),
                Breach(limit="average_cost_ratio_max", allowed=1.5, actual=2.0),
            ),
        ],
    )
    def test_one_that_does_worse_goes(self, canary: Health, breach: Breach) -> None:
        assert judge(canary, GOOD, LIMITS) == (breach,)

    @pytest.mark.parametrize(
        "canary", [but(failed=12), but(p95_latency_ms=15_000), but(average_cost_micros=60_000)]
    )
    def test_a_limit_may_be_reached(self, canary: Health) -> None:
        assert judge(canary, GOOD, LIMITS) == ()

    def test_too_few_renders_say_nothing(self) -> None:
        assert judge(Health(finished=49, failed=49), GOOD, Limits()) == ()
        assert judge(Health(finished=50, failed=50), Health(finished=49), LIMITS) == ()

    def test_bounds_in_figures_need_no_other_version(self) -> None:
        limits = Limits(error_rate_max=10, p95_latency_ms_max=9_000, average_cost_usd_max=0.03)

        broken = judge(but(failed=40), Health(), limits)

        assert [(breach.limit, breach.actual) for breach in broken] == [
            ("error_rate_max", 20.0),
            ("p95_latency_ms_max", 10_000),
            ("average_cost_usd_max", 0.04),
        ]

    def test_nothing_is_compared_with_what_is_free(self) -> None:
        assert judge(GOOD, but(average_cost_micros=0), LIMITS) == ()


class TestTakesPart:
    def test_each_canary_draws_its_users_anew(self) -> None:
        users = [f"user-{number}" for number in range(2000)]

        both = Counter((takes_part(2, 50, user), takes_part(3, 50, user)) for user in users)

        assert all(400 < many < 600 for many in both.values())
        assert len(both) == 4
