"""A test of providers from the orders of its users to its figures."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medici.adapters.providers.failure import FailureCode
from medici.kernel.db.database import Database
from tests.doors.studio.conftest import Visit
from tests.doors.support import Hands
from tests.support.painters import PRICE, Painter, fails
from tests.support.provider_tests import CONTROL, OTHER, begun, routes
from tests.support.studio import Studio, opened_studio

USERS = 8
ALONE = {"fallback_chain": ["sculptor"], "default_provider": "sculptor", **routes("sculptor")}


@pytest.fixture
def sculptor() -> Painter:
    painter = Painter(name="sculptor")
    painter.script.submit.extend(fails(FailureCode.INVALID_INPUT) for _ in range(USERS))
    return painter


@pytest.fixture
async def studio(
    database: Database, tmp_path: Path, clock: Hands, sculptor: Painter
) -> AsyncIterator[Studio]:
    async with opened_studio(database, tmp_path, Painter(), sculptor, clock=clock) as studio:
        yield studio


class TestPerformance:
    async def test_tells_success_and_cost_of_each_variant_s_providers(
        self, studio: Studio, visit: Visit
    ) -> None:
        await begun(studio, {CONTROL: None, OTHER: ALONE})
        variants: list[str | None] = []
        for number in range(USERS):
            await studio.customer(f"user-{number}")
            job = await studio.job(await studio.order(f"user-{number}"))
            variants.append(job.variant_id)
        await studio.finish()

        operator = await visit("")
        answer = await operator.get("/v1/admin/experiments/providers/performance")

        assert answer.status_code == 200, answer.text
        found = {each["variant_id"]: each for each in answer.json()["variants"]}
        assert {name: each["exposed_users"] for name, each in found.items()} == {
            CONTROL: variants.count(CONTROL),
            OTHER: variants.count(OTHER),
        }
        rates = {name: each["render_success_rate"] for name, each in found.items()}
        assert rates == {CONTROL: 100.0, OTHER: 0.0}
        assert found[CONTROL]["total_cost_usd"] == round(
            PRICE * variants.count(CONTROL) / 1_000_000, 6
        )
        assert found[OTHER]["total_cost_usd"] == 0
