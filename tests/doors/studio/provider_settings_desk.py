"""An operator at the desk of provider settings: what to call, and what has to be answered."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from medici.adapters.providers.request import Operation
from medici.kernel.db.database import Database
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.doors.support import Hands
from tests.kernel.net.names import Names
from tests.support.painters import Painter
from tests.support.studio import Studio, opened_studio

SETTINGS = "/v1/admin/provider-settings"
PREVIEW = "/v1/config/provider-route-preview"
RESTYLE = {"operation": "restyle", "tier": "preview", "target_part": "full_room"}


async def put(operator: Visitor, path: str, body: object, **options: Any) -> dict[str, Any]:
    answer = await operator.client.put(SETTINGS + path, json=body, **options)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def post(operator: Visitor, path: str, **options: Any) -> dict[str, Any]:
    answer = await operator.post(SETTINGS + path, **options)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def get(operator: Visitor, path: str = "") -> Any:
    answer = await operator.get(SETTINGS + path)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
async def studio(database: Database, tmp_path: Path, clock: Hands) -> AsyncIterator[Studio]:
    """A deployment with three providers, of whom one can only restyle."""
    painters = (
        Painter(name="fal"),
        Painter(name="openai"),
        Painter(name="etcher", operations=frozenset({Operation.RESTYLE}), accepts_mask=False),
    )
    names = Names(example_com=[["93.184.216.34"]])
    async with opened_studio(database, tmp_path, *painters, clock=clock, names=names) as studio:
        yield studio


@pytest.fixture
async def operator(visit: Visit) -> Visitor:
    """Outside production and without a token anybody is one."""
    return await visit("")
