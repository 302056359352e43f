"""Weights and canaries, from the dashboard to real renders and back."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from medici.adapters.providers.failure import FailureCode
from medici.adapters.providers.request import Tier
from medici.domain.rendering.routing_work import JUDGE_CANARY, MEASURE
from medici.domain.routing.canaries import takes_part
from medici.jobs.kinds import JobKind
from medici.jobs.queue import enqueue
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.support.painters import PRICE, Painter, fails
from tests.support.studio import Studio

SETTINGS = "/v1/admin/provider-settings"
USERS = [f"user-{number}" for number in range(24)]
CANARY = 2  # the version


@pytest.fixture
async def operator(visit: Visit) -> Visitor:
    return await visit("")


async def answered(operator: Visitor, method: str, path: str, **options: Any) -> Any:
    answer = await operator.client.request(method, SETTINGS + path, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def run(studio: Studio, kind: JobKind) -> None:
    async with studio.database.transaction() as session:
        await enqueue(session, kind, args={}, now=studio.clock())
    await studio.work()


async def render(studio: Studio, users: Sequence[str]) -> dict[str, int]:
    """Have a picture made for each user; return which version each took."""
    taken = {}
    for user_id in users:
        await studio.customer(user_id)
        job_id = await studio.order(user_id, tier=Tier.PREVIEW)
        studio.clock.advance(timedelta(seconds=1))
        await studio.work()
        taken[user_id] = (await studio.job(job_id)).settings_version
    await studio.finish()
    return taken


async def started(operator: Visitor, **limits: object) -> None:
    """Try another model on half of the users."""
    models = {"painter": {"preview_model": "new", "final_model": "new"}}
    await answered(operator, "PUT", "/draft", json={"provider_models": models})
    await answered(operator, "POST", "/publish?percent=50", json={"limits": limits})


class TestCanary:
    async def test_serves_its_users_and_them_alone(self, operator: Visitor, studio: Studio) -> None:
        await started(operator)

        taken = await render(studio, USERS)

        assert taken == {user: 2 if takes_part(CANARY, 50, user) else 1 for user in USERS}
        assert set(taken.values()) == {1, 2}

    async def test_is_watched_and_kept_while_it_does_well(
        self, operator: Visitor, studio: Studio
    ) -> None:
        await started(operator, minimum_sample=3)
        taken = Counter((await render(studio, USERS)).values())

        await run(studio, JUDGE_CANARY)

        shown = await answered(operator, "GET", "/canary")
        assert (shown["state"], shown["version"], shown["baseline_version"]) == ("running", 2, 1)
        assert (shown["canary"]["finished"], shown["baseline"]["finished"]) == (taken[2], taken[1])
        assert (shown["canary"]["failed"], shown["canary"]["error_rate"]) == (0, 0)
        assert shown["canary"]["average_cost_usd"] == PRICE / 1_000_000
        assert shown["breaches"] == []

    async def test_that_fails_is_taken_back_by_itself(
        self, operator: Visitor, studio: Studio, painter: Painter
    ) -> None:
        await started(operator, minimum_sample=3)
        inside = [user for user in USERS if takes_part(CANARY, 50, user)][:3]
        painter.script.submit.extend(fails(FailureCode.PROVIDER_FAILED) for _ in inside)
        await render(studio, inside)

        await run(studio, JUDGE_CANARY)

        shown = await answered(operator, "GET", "/canary")
        assert shown["state"] == "rolled_back"
        assert [breach["limit"] for breach in shown["breaches"]] == ["error_rate_max"]
        published = await answered(operator, "GET", "")
        assert (published["version"], published["canary_version"]) == (1, None)
        entry = (await answered(operator, "GET", "/audit?limit=1"))[0]
        assert (entry["action"], entry["actor"], entry["metadata"]["proof"]) == (
            "provider_settings_canary_rolled_back",
            "system",
            "system",
        )

    @pytest.mark.parametrize(("end", "in_force"), [("promote", 2), ("abort", 1)])
    async def test_ends_as_an_operator_says(
        self, operator: Visitor, end: str, in_force: int
    ) -> None:
        await started(operator)
        shown = await answered(operator, "GET", "")
        assert (shown["version"], shown["canary_version"]) == (1, 2)

        ended = await answered(operator, "POST", f"/canary/{end}", json={"actor": "ada"})

        assert ended["state"] == {"promote": "promoted", "abort": "aborted"}[end]
        assert (await answered(operator, "GET", ""))["version"] == in_force
        again = await operator.post(f"{SETTINGS}/canary/{end}")
        assert (again.status_code, again.json()) == (404, {"detail": "canary_not_found"})

    async def test_keeps_the_next_version_waiting(self, operator: Visitor) -> None:
        await started(operator)

        for answer in (
            await operator.post(f"{SETTINGS}/publish"),
            await operator.client.put(SETTINGS, json={}),
        ):
            assert (answer.status_code, answer.json()) == (409, {"detail": "canary_running"})

    @pytest.mark.parametrize(
        ("query", "limits"), [("0", {}), ("101", {}), ("5", {"minimum_sample": 0}), ("5", {"x": 1})]
    )
    async def test_takes_no_nonsense(
        self, operator: Visitor, query: str, limits: dict[str, int]
    ) -> None:
        answer = await operator.post(f"{SETTINGS}/publish?percent={query}", json={"limits": limits})

        assert answer.status_code == 422


class TestMeasuring:
    async def test_learns_what_renders_cost_and_take(
        self, operator: Visitor, studio: Studio
    ) -> None:
        await render(studio, USERS[:3])

        await run(studio, MEASURE)

        foreseen = await answered(operator, "POST", "/draft/dry-run")
        (share,) = foreseen["published"]["providers"]
        assert share["jobs"] == 3
        assert share["expected_cost_usd"] == pytest.approx(3 * PRICE / 1_000_000)
        assert share["expected_wait_ms"] is not None
