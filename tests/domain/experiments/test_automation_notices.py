"""Telling the operators' own address about a run, and the run by the clock."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from medici.domain.experiments import tasks
from medici.domain.experiments.service.notifying import notify
from medici.domain.experiments.work import AUTOMATION, TICK
from medici.jobs.kinds import JobKind
from medici.jobs.queue import enqueue
from medici.kernel.db.database import Database
from medici.kernel.net.client import OutgoingClient
from medici.resources import Resources
from tests.domain.experiments.stage import NOW, Stage
from tests.doors.support import Hands
from tests.kernel.net.names import Names
from tests.kernel.net.sites import Answer, Request, Site, hangs_up, says, site
from tests.support.painters import Painter
from tests.support.studio import Studio, opened_studio

OK = says("200 OK")
BUSY = says("503 Service Unavailable")
AT_ONCE = (0.0, 0.0)


class Receiver:
    """Answers one try after another with what it was told to."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)

    async def __call__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await self._answers.pop(0)(request, writer)


async def told(answers: Sequence[Answer]) -> tuple[bool, Site]:
    async with site(Receiver(*answers)) as receiver:
        outgoing = OutgoingClient(allow=frozenset([receiver.place]))
        taken = await notify(outgoing, receiver.url, {"at": NOW, "type": "x"}, waits=AT_ONCE)
        await outgoing.close()
    return taken, receiver


class TestNotify:
    async def test_sends_json_once(self) -> None:
        taken, receiver = await told([OK])

        (request,) = receiver.requests
        assert taken
        assert request.headers["content-type"] == "application/json"
        assert orjson.loads(request.body) == {"at": "2026-11-24T12:00:00Z", "type": "x"}

    @pytest.mark.parametrize(
        ("answers", "taken"),
        [
            ([BUSY, BUSY, OK], True),
            ([hangs_up, says("429 Too Many Requests"), OK], True),
            ([BUSY, BUSY, BUSY], False),
            ([says("404 Not Found")], False),
            ([says("302 Found", location="/")], False),
        ],
    )
    async def test_tries_three_times_where_that_may_help(
        self, answers: list[Answer], taken: bool
    ) -> None:
        outcome, receiver = await told(answers)

        assert outcome is taken
        assert len(receiver.requests) == len(answers)

    async def test_goes_nowhere_within_somebodys_network(self) -> None:
        outgoing = OutgoingClient()

        assert not await notify(outgoing, "http://127.0.0.1:1/", {}, waits=AT_ONCE)
        await outgoing.close()


@pytest.fixture
async def studio(database: Database, tmp_path: Path) -> AsyncIterator[Studio]:
    async with opened_studio(database, tmp_path, Painter(), clock=Hands(), names=Names()) as studio:
        yield studio


@pytest.fixture
def stage(studio: Studio) -> Stage:
    return Stage(database=studio.database)


async def won(stage: Stage) -> None:
    await stage.experiment()
    await stage.pay((await stage.users("control", 120))[:20])
    await stage.pay((await stage.users("b", 120))[:48])


def sending_to(resources: Resources, receiver: Site, outgoing: OutgoingClient) -> Resources:
    settings = resources.settings.model_copy(
        update={"experiment_automation_notify_webhook_url": receiver.url}
    )
    return replace(resources, settings=settings, outgoing=outgoing)


async def worked(studio: Studio, kind: JobKind) -> None:
    """Have work done, and whatever it brings about."""
    async with studio.database.transaction() as session:
        await enqueue(session, kind, now=studio.clock(), args={})
    await studio.work()


class TestByTheClock:
    def test_has_names_that_stay(self) -> None:
        assert (TICK.name, AUTOMATION.name) == (
            "experiments.automation_tick",
            "experiments.automation",
        )
        assert tasks.SCHEDULE.kind is TICK

    async def test_does_nothing_unless_switched_on(self, studio: Studio, stage: Stage) -> None:
        await won(stage)

        await worked(studio, TICK)
        await worked(studio, AUTOMATION)

        assert await stage.audited("experiment_automation_run") == []

    async def test_acts_and_tells_the_address_of_the_settings(
        self, studio: Studio, stage: Stage
    ) -> None:
        await stage.tune("experiment_automation_enabled", value=True)
        await won(stage)
        async with site(Receiver(OK)) as receiver:
            outgoing = OutgoingClient(allow=frozenset([receiver.place]))
            studio.resources = sending_to(studio.resources, receiver, outgoing)
            await worked(studio, TICK)
            await outgoing.close()

        (entry,) = await stage.audited("experiment_automation_run")
        message = orjson.loads(receiver.requests[0].body)
        assert (entry["dry_run"], entry["applied_experiment_ids"]) == (False, ["x"])
        assert message["type"] == "homeai_experiment_automation"
        assert (message["dry_run"], message["window_hours"]) == (False, 24)
        assert (message["rollout_limit"], message["checked_at"]) == (1000, "2026-11-24T12:00:00Z")
        assert message["summary"]["rollouts"] == {
            "evaluated_count": 1,
            "applied_count": 1,
            "blocked_count": 0,
        }
        assert message["result"]["run_id"] == entry["run_id"]
        assert (await stage.stored())[1].rollout_percent == 10
