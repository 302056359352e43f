"""Experiments as operators set them up over HTTP."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from medici.doors.http.paging import encode_cursor
from tests.doors.studio.conftest import Visit
from tests.doors.studio.experiment_set_ups import EXPERIMENTS, PAYWALL, changing, get, made, put
from tests.doors.studio.statements import statements
from tests.doors.studio.visitor import Visitor
from tests.doors.support import Hands
from tests.support.studio import Studio

RICH: dict[str, Any] = {
    **PAYWALL,
    "description": "When is the paywall shown?",
    "is_active": False,
    "assignment_unit": "user_id",
    "control_variant_id": "after",
    "traffic_percent": 40.0,
    "targeting": {
        "platform": ["ios"],
        "country": ["TR", "DE"],
        "app_version_min": "2.4.0",
        "plan_id": ["free"],
        "new_users_only": True,
    },
    "namespace": {"id": "paywalls", "range": [0.0, 0.5]},
    "overrides": {"qa-user-1": "after"},
    "exposure_mode": "explicit",
    "analysis_mode": "group_sequential",
    "planned_sample_size": 5_000,
}


@pytest.fixture
async def operator(visit: Visit) -> Visitor:
    """Outside production and without a token anybody is one."""
    return await visit("")


class TestPut:
    async def test_answers_with_the_experiment_and_how_it_stands(self, operator: Visitor) -> None:
        answer = await put(operator)

        assert answer.status_code == 200
        assert answer.headers["ETag"] == '"1"'
        assert answer.json() == {
            **PAYWALL,
            "experiment_id": "paywall",
            "description": None,
            "is_active": True,
            "status": "running",
            "assignment_unit": "user_id",
            "control_variant_id": "control",
            "traffic_percent": 100.0,
            "targeting": {},
            "namespace": None,
            "overrides": {},
            "exposure_mode": "assignment",
            "analysis_mode": "sequential",
            "planned_sample_size": None,
            "sequential_tuning_n": 2000,
            "seed": "paywall",
            "bucket_version": 0,
            "phase": 1,
            "phase_started_at": "2026-11-24T12:00:00Z",
            "revision": 1,
            "rollout_state": {
                "winner_variant_id": None,
                "rollout_percent": 0,
                "status": "holding",
                "last_action_at": None,
                "last_reason": None,
                "history": [],
                "final_result": None,
            },
            "guardrail_violation_streak": 0,
            "last_guardrail_checked_at": None,
            "last_guardrail_breached": None,
            "last_guardrail_pause": None,
            "archived_at": None,
            "created_at": "2026-11-24T12:00:00Z",
            "updated_at": "2026-11-24T12:00:00Z",
            "warnings": [],
        }

    async def test_keeps_every_field(self, operator: Visitor) -> None:
        await put(operator, RICH)

        found = await get(operator, "/paywall")

        assert {name: found[name] for name in RICH} == RICH
        assert found["status"] == "draft"

    async def test_takes_back_what_it_told(self, operator: Visitor) -> None:
        found = await made(operator)

        again = await put(operator, {**found, "name": "Timing"})
        stale = await put(operator, {**found, "name": "Too late"})

        assert (again.json()["name"], again.json()["phase"]) == ("Timing", 1)
        assert (stale.status_code, stale.json()) == (
            409,
            {"detail": "revision_conflict", "revision": 2},
        )

    async def test_tells_what_a_change_means(self, operator: Visitor) -> None:
        await made(operator)

        changed = await put(operator, changing(0, weight=90))

        assert (changed.json()["phase"], changed.json()["revision"]) == (2, 2)
        assert changed.json()["warnings"] == [
            "Phase 2 begins because the weights changed: users who took part before keep their"
            " variant but are not compared; only users who come from now on are."
        ]
        assert (await get(operator, "/paywall"))["warnings"] == []

    async def test_draws_anew_when_told_so(self, operator: Visitor) -> None:
        await made(operator)

        redrawn = (await put(operator, params={"rebucket": True})).json()

        assert (redrawn["seed"], redrawn["bucket_version"], redrawn["phase"]) == (
            "paywall:v1",
            1,
            2,
        )

    @pytest.mark.parametrize(
        ("headers", "query", "status"),
        [
            ({"If-Match": '"1"'}, {}, 200),
            ({"If-Match": "1"}, {}, 200),
            ({"If-Match": "*"}, {}, 200),
            ({}, {"revision": 1}, 200),
            ({"If-Match": '"0"'}, {}, 409),
            ({"If-Match": "7"}, {}, 409),
            ({"If-Match": "soon"}, {}, 400),
        ],
    )
    async def test_heeds_the_revision(
        self, operator: Visitor, headers: dict[str, str], query: dict[str, int], status: int
    ) -> None:
        await made(operator)

        answer = await put(operator, headers=headers, params=query)

        assert answer.status_code == status

    async def test_is_done_once_for_one_key(self, operator: Visitor) -> None:
        first = await put(operator, headers={"Idempotency-Key": "k"})
        again = await put(operator, headers={"Idempotency-Key": "k"})

        assert (first.json()["revision"], again.json()["revision"]) == (1, 1)

    async def test_keeps_any_config(self, operator: Visitor) -> None:
        config = {"deep": {"list": [1, 2.5, None, True, "é"]}, "escaped": "\\u0000", "": {}}

        found = await made(operator, variants=[{"variant_id": "only", "config": config}])

        assert found["variants"] == [{"variant_id": "only", "weight": 50, "config": config}]

    async def test_takes_words_as_people_write_them(self, operator: Visitor) -> None:
        targeting = {"platform": ["iOS ", "ios"], "country": ["tr"]}

        found = await made(operator, name=" Timing ", targeting=targeting)

        assert found["name"] == "Timing"
        assert found["targeting"] == {"platform": ["ios"], "country": ["TR"]}


class TestList:
    async def test_has_the_last_changed_first(self, operator: Visitor, clock: Hands) -> None:
        for name in ("a", "b", "c"):
            await made(operator, of=name)
            clock.advance(timedelta(seconds=1))
        await made(operator, of="a", name="changed")

        assert [each["experiment_id"] for each in await get(operator)] == ["a", "c", "b"]

    async def test_comes_in_pages(self, operator: Visitor) -> None:
        for name in "abcde":  # all in one moment
            await made(operator, of=name)
        seen, query = [], {"limit": "2"}
        while True:
            answer = await operator.get(EXPERIMENTS, params=query)
            seen += [each["experiment_id"] for each in answer.json()]
            if "x-next-cursor" not in answer.headers:
                break
            query["cursor"] = answer.headers["x-next-cursor"]

        assert seen == ["e", "d", "c", "b", "a"]

    async def test_leaves_out_what_was_taken_away(self, operator: Visitor) -> None:
        await made(operator, of="gone")
        await made(operator, of="here")
        await operator.client.delete(f"{EXPERIMENTS}/gone")

        listed = await get(operator)
        everything = await get(operator, include_archived=True)

        assert [each["experiment_id"] for each in listed] == ["here"]
        assert {each["experiment_id"]: each["status"] for each in everything} == {
            "here": "running",
            "gone": "archived",
        }

    async def test_has_bounds(self, operator: Visitor) -> None:
        for query in ({"limit": "0"}, {"limit": "201"}, {"include_archived": "perhaps"}):
            assert (await operator.get(EXPERIMENTS, params=query)).status_code == 422

    async def test_knows_its_own_cursors(self, operator: Visitor) -> None:
        naive = encode_cursor("2026-11-24T12:00:00", "a")
        for cursor in ("x", "WzFd", encode_cursor("a", "b"), naive):
            answer = await operator.get(EXPERIMENTS, params={"cursor": cursor})

            assert (answer.status_code, answer.json()["detail"]) == (400, "invalid_cursor")

    async def test_asks_as_often_for_many_as_for_one(
        self, operator: Visitor, studio: Studio
    ) -> None:
        await made(operator, of="first")
        with statements(studio.database) as for_one:
            await get(operator)
        for number in range(20):
            await made(operator, of=f"e{number}")
        with statements(studio.database) as for_many:
            await get(operator)

        assert len(for_many) == len(for_one)


class TestOne:
    async def test_is_shown_with_its_revision(self, operator: Visitor) -> None:
        sent = await made(operator)

        answer = await operator.get(f"{EXPERIMENTS}/paywall")

        assert answer.headers["ETag"] == '"1"'
        assert answer.json() == sent

    async def test_is_not_found(self, operator: Visitor) -> None:
        answer = await operator.get(f"{EXPERIMENTS}/nothing")

        assert (answer.status_code, answer.json()) == (404, {"detail": "experiment_not_found"})


class TestDelete:
    async def take(self, operator: Visitor, **query: Any) -> tuple[int, Any]:
        answer: httpx.Response = await operator.client.delete(
            f"{EXPERIMENTS}/paywall", params=query
        )
        return answer.status_code, answer.json()

    async def test_happens_once(self, operator: Visitor) -> None:
        await made(operator)

        assert await self.take(operator, actor="eve") == (200, {"deleted": True})
        assert await self.take(operator) == (404, {"detail": "experiment_not_found"})
        assert (await get(operator, "/paywall"))["status"] == "archived"

    async def test_purges_later(self, operator: Visitor) -> None:
        await made(operator)
        await self.take(operator)

        assert await self.take(operator, purge=True) == (200, {"deleted": True})

    async def test_is_undone_by_putting_it_back(self, operator: Visitor) -> None:
        await made(operator)
        await self.take(operator)

        back = await made(operator)

        assert (back["status"], back["bucket_version"], back["phase"]) == ("running", 1, 2)
        assert back["archived_at"] is None


class TestAssigning:
    async def test_follows_a_change_at_once(self, operator: Visitor, ada: Visitor) -> None:
        """In the process that made it; others see it within seconds."""
        await made(operator, overrides={"ada": "after"})
        ask = {"experiment_id": "paywall", "user_id": "ada"}
        before = (await ada.post("/v1/experiments/assign", json=ask)).json()

        await made(operator, overrides={"ada": "control"})
        changed = (await ada.post("/v1/experiments/assign", json=ask)).json()
        await operator.client.delete(f"{EXPERIMENTS}/paywall")
        gone = await ada.post("/v1/experiments/assign", json=ask)

        assert (before["variant_id"], before["reason"]) == ("after", "override")
        assert (changed["variant_id"], changed["config"]) == (
            "control",
            {"paywall_mode": "on_exhaustion"},
        )
        assert (gone.status_code, gone.json()["detail"]) == (409, "experiment_inactive")
