"""A render that kills whatever works on it is given up, and harms nobody else."""

import os
import signal
from functools import partial
from pathlib import Path
from typing import Protocol

import httpx
import pytest
from sqlalchemy import select

from medici.jobs.models import Job, State
from medici.kernel.db.database import Database
from tests.faults.deployments import Deployment, Layout, deployed
from tests.faults.load import ORDERS, Customer, arrive
from tests.faults.processes import MediciProcess
from tests.jobs.waiting import until

PHOTO = Path(__file__).parents[1] / "data" / "rooms" / "living-room-1.jpg"
LAYOUTS = {
    "sqlite": Layout(lease_seconds=1.0),
    "postgresql": Layout(workers=1, lease_seconds=2.0),
}
BYSTANDERS = 5
ENDS = frozenset({"completed", "failed", "canceled"})


class TestPoison:
    @pytest.mark.timeout(240)
    async def test_fails_after_three_workers_and_costs_nothing(
        self, database: Database, database_url: str, tmp_path: Path
    ) -> None:
        layout = LAYOUTS[database.dialect]
        async with deployed(database_url, tmp_path / "data", layout) as deployment:
            victims = Workers(database, deployment)
            poison, bystanders, spent = await _poisoned(deployment, victims)

        assert (poison["status"], poison["error_code"]) == ("failed", "worker_lost")
        assert bystanders == {"completed"}
        assert spent == BYSTANDERS
        assert victims.killed == 3

    @pytest.mark.timeout(240)
    async def test_fails_after_two_image_processes_and_costs_nothing(
        self, database: Database, database_url: str, tmp_path: Path
    ) -> None:
        layout = LAYOUTS[database.dialect]
        async with deployed(database_url, tmp_path / "data", layout) as deployment:
            victims = ImageProcesses(deployment)
            poison, bystanders, spent = await _poisoned(deployment, victims)

        assert (poison["status"], poison["error_code"]) == ("failed", "provider_dispatch_failed")
        assert bystanders == {"completed"}
        assert spent == BYSTANDERS
        assert victims.killed >= 2  # the settings allow one retry


class Victims(Protocol):
    """What dies of the poison."""

    async def strike(self, job_id: str) -> None: ...


class Workers:
    """Kills the worker whenever the poison is the only thing it works on."""

    def __init__(self, database: Database, deployment: Deployment) -> None:
        self._database = database
        self._worker = _worker_of(deployment)
        self._seen: set[int] = set()

    @property
    def killed(self) -> int:
        return len(self._seen)

    async def strike(self, job_id: str) -> None:
        async with self._database.reading() as session:
            running = (await session.scalars(select(Job).where(Job.state == State.RUNNING))).all()
        if [job.args.get("render_job_id") for job in running] != [job_id]:
            return
        (job,) = running
        if job.burial is None and job.fence not in self._seen:
            self._seen.add(job.fence)
            await self._worker.kill()
            await self._worker.start()
            await self._worker.up()


class ImageProcesses:
    """Kills every image process of the worker while the poison is about."""

    def __init__(self, deployment: Deployment) -> None:
        self._worker = _worker_of(deployment)
        self._seen: set[int] = set()

    @property
    def killed(self) -> int:
        return len(self._seen)

    async def strike(self, job_id: str) -> None:
        for child in self._worker.image_children():
            self._seen.add(child)
            os.kill(child, signal.SIGKILL)


async def _poisoned(
    deployment: Deployment, victims: Victims
) -> tuple[dict[str, object], set[object], int]:
    """Order a poison and some renders beside it.

    Returns the poison as its customer sees it in the end, how the others ended, and what it cost.
    """
    (base,) = deployment.bases
    (customer,) = await arrive(base, ["ada"], PHOTO.read_bytes())
    async with httpx.AsyncClient(
        base_url=base, headers=customer.headers, timeout=30, transport=_patient()
    ) as client:
        before = await _balance(client, customer)
        poison = await _ordered(client, customer, "repaint")
        others = [await _ordered(client, customer, "restyle") for _ in range(BYSTANDERS)]

        async def ended() -> bool:
            await victims.strike(poison)
            return (await _seen(client, poison))["status"] in ENDS

        await until(ended, within=200)
        for other in others:
            await until(partial(_is_over, client, other), within=30)
        bystanders = {(await _seen(client, other))["status"] for other in others}
        return await _seen(client, poison), bystanders, before - await _balance(client, customer)


def _patient() -> httpx.AsyncHTTPTransport:
    return httpx.AsyncHTTPTransport(retries=5)  # connections that a killed server left behind


async def _ordered(client: httpx.AsyncClient, customer: Customer, operation: str) -> str:
    order = {
        "project_id": "room",
        "image_url": customer.image_url,
        "style_id": "modern",
        "operation": operation,
    }
    answer = await client.post(ORDERS, json=order)
    assert answer.status_code == 200, answer.text
    job_id: str = answer.json()["id"]
    return job_id


async def _seen(client: httpx.AsyncClient, job_id: str) -> dict[str, object]:
    seen: dict[str, object] = (await client.get(f"{ORDERS}/{job_id}")).json()
    return seen


async def _is_over(client: httpx.AsyncClient, job_id: str) -> bool:
    return (await _seen(client, job_id))["status"] in ENDS


async def _balance(client: httpx.AsyncClient, customer: Customer) -> int:
    told = (await client.get(f"/v1/credits/balance/{customer.user_id}")).json()
    assert told["held"] == 0
    free: int = told["balance"]
    return free


def _worker_of(deployment: Deployment) -> MediciProcess:
    """Return the process that does the background work."""
    return (deployment.workers or deployment.servers)[0]
