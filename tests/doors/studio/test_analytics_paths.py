"""Funnels and cohorts."""

import pytest

from medici.domain.events.facts import Fact
from medici.kernel.db.database import Database
from tests.doors.studio.analytics_desk import ADMIN, HOUR, ago, asked, operator, rolled, tell
from tests.doors.studio.visitor import Visitor
from tests.doors.support import NOW
from tests.support.studio import Studio

__all__ = ["operator"]  # a fixture


class TestFunnelAndRetention:
    async def test_follow_actors(self, operator: Visitor, database: Database) -> None:
        await tell(
            database,
            Fact(name="app_opened", user_id="ada", occurred_at=NOW - 3 * HOUR, trusted=False),
            ago(2),
            Fact(name="app_opened", user_id="bob", occurred_at=NOW - 3 * HOUR, trusted=False),
        )

        told = await asked(
            operator, f"{ADMIN}/funnel", steps="app_opened, render_preview_completed"
        )

        first, second = told["steps"]
        assert (first["actors"], second["actors"], second["median_s"]) == (2, 1, 3600.0)
        assert second["step"]["percent"] == 50.0

    @pytest.mark.parametrize("steps", ["app_opened", "a,B c", ",".join(["a"] * 21)])
    async def test_take_two_to_twenty_names(self, operator: Visitor, steps: str) -> None:
        answer = await operator.get(f"{ADMIN}/funnel", params={"steps": steps})
        assert (answer.status_code, answer.json()) == (422, {"detail": "invalid_query"})

    async def test_lay_out_cohorts(
        self, operator: Visitor, database: Database, studio: Studio
    ) -> None:
        visits = [NOW - 48 * HOUR, NOW - 24 * HOUR, NOW - HOUR]
        await tell(
            database,
            *(Fact(name="app_opened", user_id="ada", occurred_at=at) for at in visits),
        )
        await rolled(studio)

        told = await asked(operator, f"{ADMIN}/retention", unit="day", tz="UTC", buckets=3)

        oldest = told["cohorts"][0]
        assert (oldest["cohort"], oldest["actors"]) == ("2026-11-22", 1)
        assert [(cell["n"], cell["partial"]) for cell in oldest["cells"]] == [
            (0, False),
            (1, False),
            (2, True),
        ]

    @pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", ""])
    async def test_know_time_zones(self, operator: Visitor, zone: str) -> None:
        answer = await operator.get(f"{ADMIN}/retention", params={"tz": zone})
        assert (answer.status_code, answer.json()) == (422, {"detail": "unknown_time_zone"})
