"""What guardrails measure, of whom, and since when."""

from datetime import timedelta

import pytest

from medici.domain.experiments.guardrails.judging import Measured
from medici.domain.experiments.guardrails.keys import parse_guardrails
from medici.domain.experiments.guardrails.measuring import Asked, measure
from medici.kernel.db.database import Database
from tests.domain.experiments.stage import EARLIER, HOUR, NOW, STARTED, Stage


@pytest.fixture
def stage(database: Database) -> Stage:
    return Stage(database=database)


async def measured(stage: Stage, *keys: str, name: str = "x") -> Measured:
    experiment, _ = await stage.stored(name)
    metrics = frozenset(parse_guardrails(dict.fromkeys(keys, 1)).metrics)
    async with stage.database.reading() as session:
        found = await measure(
            session, [Asked(experiment=experiment, metrics=metrics)], stage.look().window
        )
    return found[name]


async def value(stage: Stage, key: str, variant_id: str | None = None) -> float | None:
    """Return what a guardrail's metric came to, of one variant or of everybody."""
    found = await measured(stage, key)
    (guard,) = parse_guardrails({key: 1}).guards
    figures = found.everybody if variant_id is None else found.variants[variant_id]
    told = figures.value(guard.key)
    return None if told is None else round(told.actual, 6)


class TestMeasure:
    async def test_tells_variants_apart(self, stage: Stage) -> None:
        await stage.experiment()
        await stage.renders(await stage.users("control", 40))
        bad = await stage.users("b", 40)
        await stage.renders(bad[:30], "failed")
        await stage.renders(bad[30:])

        key = "render_success_rate_min"
        assert await value(stage, key, "control") == 100
        assert await value(stage, key, "b") == 25
        assert await value(stage, key) == 62.5

    async def test_looks_at_the_last_hours_and_from_the_assignment_on(self, stage: Stage) -> None:
        await stage.experiment()
        (ada,) = await stage.users("b")
        (bob,) = await stage.users("b", assigned_at=NOW - HOUR)
        await stage.renders([ada], at=NOW - timedelta(hours=25), status="failed")
        await stage.renders([ada], at=NOW - timedelta(hours=24))
        await stage.renders([bob], at=EARLIER, status="failed")
        await stage.renders([bob], at=NOW - HOUR / 2)
        await stage.renders([ada, bob], at=NOW, status="failed")

        assert await value(stage, "render_success_rate_min") == 100

    async def test_leaves_out_who_is_not_served(self, stage: Stage) -> None:
        await stage.experiment()
        await stage.experiment("y")
        await stage.renders(await stage.users("b", experiment="y"), "failed")
        await stage.renders(await stage.users("b", bucket_version=-1), "failed")
        await stage.renders(["nobody"], "failed")

        assert await value(stage, "render_success_rate_min") is None

    async def test_counts_those_who_are_not_enrolled(self, stage: Stage) -> None:
        await stage.experiment()
        await stage.renders(await stage.users("b", enrolled=False, phase=0), "failed")

        assert await value(stage, "render_success_rate_min", "b") == 0

    async def test_takes_no_clients_word_about_renders(self, stage: Stage) -> None:
        await stage.experiment()
        await stage.renders(await stage.users("b"), "failed", trusted=False)

        assert await value(stage, "render_success_rate_min") is None

    async def test_puts_those_on_the_ladder_under_the_winner(self, stage: Stage) -> None:
        await stage.experiment()
        await stage.shift(winner_variant_id="b", rollout_percent=10)
        await stage.renders(await stage.users("control", rollout_bucket=0.0999), "failed")
        await stage.renders(await stage.users("control", rollout_bucket=0.1))

        assert await value(stage, "render_success_rate_min", "b") == 0
        assert await value(stage, "render_success_rate_min", "control") == 100

    async def test_puts_those_of_a_variant_that_is_gone_under_control(self, stage: Stage) -> None:
        await stage.experiment()
        await stage.renders(await stage.users("gone"), "failed")
        await stage.renders(await stage.users("control"))

        found = await measured(stage, "render_success_rate_min")

        assert list(found.variants) == ["control"]
        assert await value(stage, "render_success_rate_min", "control") == 50

    async def test_adds_up_cost_latency_and_credits(self, stage: Stage) -> None:
        await stage.experiment()
        users = await stage.users("b", 2)
        await stage.users("b")  # was not here in the last hours
        await stage.renders(users[:1], cost_micros=300_000, latency_ms=2000, credits=3)
        await stage.renders(users, "failed", cost_micros=100_000, latency_ms=5000)

        assert await value(stage, "avg_cost_per_render_max_usd") == 0.166667
        assert await value(stage, "cost_per_user_usd_max") == 0.25
        assert await value(stage, "avg_latency_max_ms") == 4000
        assert await value(stage, "credits_per_user_max") == 1.5
        assert await value(stage, "renders_per_user_min") == 0.5

    async def test_interpolates_the_95th_percentile(self, stage: Stage) -> None:
        await stage.experiment()
        for took in range(1, 12):
            await stage.renders(await stage.users("b"), latency_ms=took * 1000)
        await stage.renders(await stage.users("control"), latency_ms=99_000)

        assert await value(stage, "p95_latency_max_ms", "b") == 10_500
        assert await value(stage, "p95_latency_max_ms") == 50_600
        assert await value(stage, "p95_latency_max_ms", "control") == 99_000

    async def test_bounds_the_95th_percentile_by_its_neighbours(self, stage: Stage) -> None:
        await stage.experiment()
        (user,) = await stage.users("b")
        for took in range(1, 201):
            await stage.renders([user], latency_ms=took)

        percentile = (await measured(stage, "p95_latency_max_ms")).everybody.p95_latency

        # 190 give or take 1.645 standard deviations of 3.08
        assert percentile is not None
        assert (percentile.low, percentile.high) == (184, 196)
        assert percentile.actual == pytest.approx(190.05)

    async def test_follows_users_from_preview_to_payment(self, stage: Stage) -> None:
        await stage.experiment()
        users = await stage.users("b", 10)
        await stage.renders(users[:8], tier="preview")
        await stage.renders(users[:4], tier="final")
        await stage.facts(users[:4], "web_checkout_started", trusted=False)
        await stage.pay(users[:1])
        await stage.pay(users[9:], at=STARTED)  # had paid before

        assert await value(stage, "preview_to_final_rate_min") == 50
        assert await value(stage, "final_to_checkout_rate_min") == 100
        assert await value(stage, "checkout_to_paid_rate_min") == 25
        assert await value(stage, "paid_conversion_rate_min") == 12.5
        assert await value(stage, "active_paid_users_min") == 1

    async def test_counts_events_that_only_clients_know(self, stage: Stage) -> None:
        await stage.experiment()
        users = await stage.users("b", 4)
        await stage.facts(users, "app_opened", trusted=False)
        await stage.facts(users[:1], "paywall_viewed", trusted=False)

        assert await value(stage, "event:paywall_viewed_min") == 25

    async def test_takes_new_users_as_served_though_they_did_nothing(self, stage: Stage) -> None:
        await stage.experiment()
        await stage.users("b", 5, assigned_at=EARLIER)
        await stage.users("b", 5)

        found = await measured(stage, "paid_conversion_rate_min", "render_success_rate_min")

        assert found.everybody.assigned_users == 10
        assert found.everybody.sums["paid_conversion_rate"].n == 5
