"""How renders did: all together, and by provider."""

from medici.kernel.db.database import Database
from tests.doors.studio.analytics_desk import ADMIN, MIXED, asked, operator, tell
from tests.doors.studio.visitor import Visitor

__all__ = ["operator"]  # a fixture


class TestOverview:
    async def test_counts_finished_renders(self, operator: Visitor, database: Database) -> None:
        await tell(database, *MIXED)

        told = await asked(operator, f"{ADMIN}/overview", hours=24)

        assert told["total_events"] == 7
        assert (told["render_events"], told["render_success"], told["render_failed"]) == (6, 3, 1)
        assert told["render_success_rate"] == 75.0
        assert (told["avg_latency_ms"], told["p95_latency_ms"]) == (3000.0, 6000)
        assert told["total_cost_usd"] == 0.1
        assert told["provider_event_counts"] == {"fal": 5, "openai": 1}
        assert told["provider_success_rate"] == {"fal": 66.67, "openai": 100.0}
        assert told["latency_ms"]["method"] == "exact"
        assert told["success"] == {
            "numerator": 3,
            "denominator": 4,
            "percent": 75.0,
            "ci": [30.0642, 95.4413],
        }

    async def test_without_hours_counts_everything(
        self, operator: Visitor, database: Database
    ) -> None:
        await tell(database, *MIXED)
        assert (await asked(operator, f"{ADMIN}/overview"))["render_failed"] == 2

    async def test_of_nothing_is_zeroes(self, operator: Visitor) -> None:
        told = await asked(operator, f"{ADMIN}/overview")
        assert (told["total_events"], told["render_success_rate"]) == (0, 0.0)
        assert (told["success"]["percent"], told["success"]["ci"]) == (None, None)


class TestProvidersHealth:
    async def test_weighs_success_against_speed(
        self, operator: Visitor, database: Database
    ) -> None:
        await tell(database, *MIXED)

        told = await asked(operator, "/v1/admin/providers/health", hours=24)

        fal, openai = told["fal"], told["openai"]
        assert (fal["total_events"], fal["failed_events"], fal["success_rate"]) == (3, 1, 66.67)
        assert (fal["avg_latency_ms"], fal["health_score"]) == (2000.0, 76.67)
        # 6,000 ms are 3,500 too many, hence 46.67 points of 100 for speed.
        assert openai["health_score"] == 86.0
