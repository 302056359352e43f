"""The daily reset in an operator's hands, with the words that dashboards know."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import delete, insert, select

from medici.adapters.payments.news import Source
from medici.domain.billing.models import EntitlementRow, EntitlementStatus
from medici.domain.billing.resets import runs as resets
from medici.domain.billing.resets.runs import BATCH
from medici.domain.identity.models import AuditEntry
from medici.domain.identity.owner import OwnerKind
from medici.domain.plans.models import Plan
from medici.doors.studio.wallets.resets import BATCHES_AT_ONCE
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.doors.support import Hands
from tests.support.studio import Studio

SCHEDULE = "/v1/admin/credits/reset-schedule"
RUN = "/v1/admin/credits/run-daily-reset"
TICK = "/v1/admin/credits/tick-reset"
RUNS = "/v1/admin/credits/reset-runs"
TOKEN = {"X-Admin-Token": "right"}
DEFAULTS = {
    "enabled": True,
    "reset_hour_utc": 0,
    "reset_minute_utc": 0,
    "free_daily_credits": 3,
    "pro_daily_credits": 80,
    "last_run_at": None,
    "next_run_at": "2026-11-25T00:00:00Z",
    "time_zone": "UTC",
}


@pytest.fixture
async def root(visit: Visit) -> Visitor:
    """An operator, by token."""
    visitor = await visit("", admin_api_token=SecretStr("right"))
    visitor.client.headers.update(TOKEN)
    return visitor


async def put(visitor: Visitor, **changes: Any) -> httpx.Response:
    return await visitor.client.put(SCHEDULE, json=changes)


async def done(visitor: Visitor, path: str = RUN, **query: Any) -> dict[str, Any]:
    answer = await visitor.post(path, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def entitle(studio: Studio, many: int) -> None:
    """Let there be many users with the free plan and without a wallet."""
    free = {"owner_kind": OwnerKind.USER, "plan_id": "free", "status": EntitlementStatus.INACTIVE}
    rest = {"source": Source.MANUAL, "details": {}, "updated_at": studio.clock()}
    async with studio.database.transaction() as session:
        await session.execute(
            insert(EntitlementRow), [{**free, **rest, "owner_id": f"user {n}"} for n in range(many)]
        )


async def audited(studio: Studio, action: str) -> list[AuditEntry]:
    async with studio.database.reading() as session:
        rows = await session.scalars(select(AuditEntry).where(AuditEntry.action == action))
        return list(rows)


class TestSchedule:
    async def test_is_midnight_with_the_plans_credits(self, root: Visitor) -> None:
        assert (await root.get(SCHEDULE)).json() == DEFAULTS

    async def test_is_changed_field_by_field(self, root: Visitor) -> None:
        changed = await put(root, reset_hour_utc=18, reset_minute_utc=30)

        expected = {
            **DEFAULTS,
            "reset_hour_utc": 18,
            "reset_minute_utc": 30,
            "next_run_at": "2026-11-24T18:30:00Z",
        }
        assert changed.json() == expected
        assert (await root.get(SCHEDULE)).json() == expected

    async def test_sets_the_credits_of_the_plans(self, root: Visitor, ada: Visitor) -> None:
        before = await ada.balance()

        await put(root, free_daily_credits=5, pro_daily_credits=90)

        assert (before, await ada.balance()) == (3, 5)
        shown = (await root.get(SCHEDULE)).json()
        assert (shown["free_daily_credits"], shown["pro_daily_credits"]) == (5, 90)

    async def test_takes_back_what_it_gave(self, root: Visitor) -> None:
        whole = (await root.get(SCHEDULE)).json()

        assert (await put(root, **whole)).json() == whole

    async def test_switched_off_has_no_next_time(self, root: Visitor) -> None:
        assert (await put(root, enabled=False)).json()["next_run_at"] is None

    async def test_sets_nothing_on_a_plan_that_is_gone(self, root: Visitor, studio: Studio) -> None:
        async with studio.database.transaction() as session:
            await session.execute(delete(Plan).where(Plan.plan_id == "pro"))

        refused = await put(root, pro_daily_credits=90)

        assert (refused.status_code, refused.json()) == (404, {"detail": "plan_not_found"})
        assert (await put(root, pro_daily_credits=0)).json()["pro_daily_credits"] == 0

    @pytest.mark.parametrize(
        "change",
        [
            {"reset_hour_utc": 24},
            {"reset_hour_utc": -1},
            {"reset_minute_utc": 60},
            {"free_daily_credits": -1},
            {"pro_daily_credits": 1_000_001},
            {"enabled": "yes"},
            {"time_zone": ""},
        ],
    )
    async def test_refuses_what_no_day_has(self, root: Visitor, change: dict[str, Any]) -> None:
        assert (await put(root, **change)).status_code == 422
        assert (await root.get(SCHEDULE)).json() == DEFAULTS

    async def test_follows_the_clocks_of_a_zone(self, root: Visitor) -> None:
        changed = await put(root, time_zone="America/New_York", reset_hour_utc=6)

        assert changed.json()["next_run_at"] == "2026-11-25T11:00:00Z"
        assert changed.json()["time_zone"] == "America/New_York"

    @pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "Europe"])
    async def test_knows_no_other_zones(self, root: Visitor, name: str) -> None:
        refused = await put(root, time_zone=name)

        assert (refused.status_code, refused.json()) == (400, {"detail": "unknown_time_zone"})
        assert (await root.get(SCHEDULE)).json() == DEFAULTS

    async def test_is_audited_with_the_name_and_the_proof(
        self, root: Visitor, studio: Studio
    ) -> None:
        query = {"actor": "dashboard", "reason": "later"}
        await root.client.put(SCHEDULE, json={"reset_hour_utc": 6}, params=query)

        (entry,) = await audited(studio, "credit_reset_schedule_updated")
        assert (entry.actor, entry.proof, entry.reason) == ("admin_token", "admin_token", "later")
        assert entry.before is not None
        assert entry.after is not None
        assert (entry.before["reset_hour_utc"], entry.after["reset_hour_utc"]) == (0, 6)
        assert entry.after["actor"] == "dashboard"


class TestRun:
    async def test_gives_the_day_and_tells_how_many(
        self, root: Visitor, ada: Visitor, bob: Visitor, clock: Hands
    ) -> None:
        await ada.balance()
        await bob.balance()
        clock.advance(timedelta(days=1))

        result = await done(root)

        assert result == {
            "started_at": "2026-11-25T12:00:00Z",
            "completed_at": "2026-11-25T12:00:00Z",
            "dry_run": False,
            "users_processed": 2,
            "balances_updated": 2,
            "run_id": result["run_id"],
            "state": "completed",
            "schedule_date": "2026-11-25",
            "credits_granted": 6,
            "skipped": {"disabled": 0, "parked": 0},
        }
        assert (await root.get(SCHEDULE)).json()["last_run_at"] == "2026-11-25T12:00:00Z"
        assert (await done(root))["balances_updated"] == 0

    async def test_dry_tells_the_same_and_changes_nothing(
        self, root: Visitor, ada: Visitor, clock: Hands, studio: Studio
    ) -> None:
        await ada.balance()
        clock.advance(timedelta(days=1))

        dry = await done(root, dry_run=True)
        wet = await done(root)

        numbers = ("users_processed", "balances_updated", "credits_granted", "skipped")
        assert [dry[name] for name in numbers] == [wet[name] for name in numbers]
        assert (dry["dry_run"], dry["run_id"], dry["completed_at"]) == (
            True,
            None,
            "2026-11-25T12:00:00Z",
        )
        assert len(await audited(studio, "credit_reset_run")) == 1
        assert len((await root.get(RUNS)).json()["runs"]) == 1

    async def test_leaves_to_the_background_what_takes_long(
        self, root: Visitor, studio: Studio
    ) -> None:
        at_once = BATCHES_AT_ONCE * BATCH
        await entitle(studio, at_once + 1)

        begun = await done(root)
        await studio.work()
        ended = (await root.get(f"{RUNS}/{begun['run_id']}")).json()

        assert (begun["state"], begun["completed_at"]) == ("running", None)
        assert (begun["users_processed"], begun["balances_updated"]) == (at_once, at_once)
        assert (ended["state"], ended["balances_updated"]) == ("completed", at_once + 1)

    async def test_joins_one_that_is_under_way(self, root: Visitor, studio: Studio) -> None:
        async with studio.database.transaction() as session:
            now = studio.clock()
            run_id = await resets.begin(session, actor="test", dry_run=False, now=now)

        assert (await done(root))["run_id"] == str(run_id)


class TestTick:
    async def test_runs_once_a_day(self, root: Visitor, clock: Hands) -> None:
        first = await done(root, TICK)
        second = await done(root, TICK)
        clock.advance(timedelta(days=1))
        third = await done(root, TICK)

        assert (first["due"], first["ran"], first["skipped_reason"]) == (True, True, None)
        assert first["run_result"]["schedule_date"] == "2026-11-24"
        assert second == {
            "checked_at": "2026-11-24T12:00:00Z",
            "due": False,
            "ran": False,
            "skipped_reason": "not_due",
            "run_result": None,
        }
        assert third["run_result"]["schedule_date"] == "2026-11-25"

    async def test_does_nothing_while_switched_off(self, root: Visitor) -> None:
        await put(root, enabled=False)

        ticked = await done(root, TICK)

        assert (ticked["due"], ticked["skipped_reason"]) == (False, "disabled")


class TestRuns:
    async def test_are_listed_newest_first_in_pages(self, root: Visitor) -> None:
        made = [(await done(root))["run_id"] for _ in range(3)]

        first = (await root.get(RUNS, params={"limit": 2})).json()
        query = {"limit": 2, "cursor": first["next_cursor"]}
        second = (await root.get(RUNS, params=query)).json()

        shown = [run["run_id"] for page in (first, second) for run in page["runs"]]
        assert shown == made[::-1]
        assert second["next_cursor"] is None

    @pytest.mark.parametrize("run_id", ["01a20e7c-aa19-7716-a01e-ba620733149c", "nonsense"])
    async def test_unknown_ones_are_not_found(self, root: Visitor, run_id: str) -> None:
        answer = await root.get(f"{RUNS}/{run_id}")

        assert (answer.status_code, answer.json()) == (404, {"detail": "reset_run_not_found"})

    @pytest.mark.parametrize("cursor", ["nonsense", "WyJub25zZW5zZSJd"])
    async def test_made_up_cursors_are_refused(self, root: Visitor, cursor: str) -> None:
        assert (await root.get(RUNS, params={"cursor": cursor})).status_code == 400
