"""How long after a provider has finished its customer's picture is there, with real processes."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from medici.cli.fakes import environment
from medici.cli.words import Vendor
from medici.domain.rendering.models import RenderAttempt, RenderJob, RenderState
from medici.domain.routing.settings import FAL
from medici.fakes.fal.app import fal_app
from medici.fakes.fal.deliveries import Courier
from medici.fakes.fal.progress import Pace
from medici.fakes.plane import Plane
from medici.fakes.serving import serving
from medici.kernel.db.database import Database
from tests.faults.accounts import settled
from tests.faults.deployments import Layout, deployed
from tests.faults.load import ORDERS, Customer, arrive

RENDERS = 6
BY_WEBHOOK_SECONDS = 1.0
BY_POLLING_SECONDS = 12.0
# Looks are some seconds apart by then, so that a look cannot be what brings each picture in time.
WORK_OF_SECONDS = 8.0
LONG_WORK_OF_SECONDS = 16.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fal:
    """A stand-in for fal. Work takes so long; what it calls afterwards is up to the courier."""

    plane: Plane
    pace: Pace
    courier: Courier
    variables: Mapping[str, str]

    @property
    def layout(self) -> Layout:
        return Layout(restyler=FAL, variables=self.variables, called_back=True)


@pytest.fixture
async def fal() -> AsyncIterator[Fal]:
    plane, pace = Plane(), Pace(seconds=WORK_OF_SECONDS)
    courier = Courier(plane, pace)
    async with serving(fal_app(plane, pace, courier)) as base:
        variables = environment(Vendor.FAL, base)
        yield Fal(plane=plane, pace=pace, courier=courier, variables=variables)


class TestWaitingTimes:
    async def test_with_webhooks_is_less_than_a_second(
        self, database: Database, database_url: str, tmp_path: Path, fal: Fal
    ) -> None:
        waits = await _waits(database, database_url, tmp_path, fal)

        assert max(waits) < BY_WEBHOOK_SECONDS

    @pytest.mark.parametrize("template", ["sqlite"], indirect=True)
    async def test_without_webhooks_is_less_than_twelve_seconds(
        self, database: Database, database_url: str, tmp_path: Path, fal: Fal
    ) -> None:
        fal.pace.seconds, fal.courier.copies = LONG_WORK_OF_SECONDS, 0

        waits = await _waits(database, database_url, tmp_path, fal)

        assert max(waits) < BY_POLLING_SECONDS


async def _waits(database: Database, database_url: str, directory: Path, fal: Fal) -> list[float]:
    """Have renders done; return by how many seconds each came after its provider had it."""
    async with deployed(database_url, directory / "data", fal.layout) as deployment:
        await _ordered(deployment.bases[0])
        await settled(database, within=(fal.pace.seconds or 0) + 2 * BY_POLLING_SECONDS)
    assert fal.plane.billed == RENDERS
    waits = await _measured(database, fal)
    print([f"{wait:.2f} s" for wait in waits])  # noqa: T201 - shown with a failure
    return waits


async def _ordered(base: str) -> None:
    (customer,) = await arrive(base, ["ada"])
    async with httpx.AsyncClient(base_url=base, headers=customer.headers, timeout=30) as client:
        for number in range(RENDERS):
            (await client.post(ORDERS, json=_order(customer, number))).raise_for_status()


def _order(customer: Customer, number: int) -> dict[str, str]:
    return {
        "project_id": f"order-{number}",
        "image_url": customer.image_url,
        "style_id": "modern",
        "operation": "restyle",
    }


async def _measured(database: Database, fal: Fal) -> list[float]:
    statement = (
        select(RenderAttempt.ref, RenderJob.finished_at)
        .join(RenderJob, RenderJob.id == RenderAttempt.render_job_id)
        .where(RenderJob.state == RenderState.SUCCEEDED)
    )
    async with database.reading() as session:
        ends = {ref["request_id"]: at for ref, at in (await session.execute(statement)).all()}
    takes = timedelta(seconds=fal.pace.seconds or 0)
    return [
        (ends[id] - (work.created_at + takes)).total_seconds()
        for id, work in fal.plane.work.items()
    ]
