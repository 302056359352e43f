"""An operator at the routes that act on experiments, with experiments to act on."""

from typing import Any

import pytest
from pydantic import SecretStr

from tests.domain.experiments.stage import Stage
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.support.studio import Studio

BASE = "/v1/admin/experiments"
SUCCESS = {"render_success_rate_min": 85}


@pytest.fixture
async def root(visit: Visit) -> Visitor:
    """An operator, by token."""
    visitor = await visit("", admin_api_token=SecretStr("right"))
    visitor.client.headers.update({"X-Admin-Token": "right"})
    return visitor


@pytest.fixture
def stage(studio: Studio) -> Stage:
    return Stage(database=studio.database, now=studio.clock())


async def asked(root: Visitor, path: str, **query: Any) -> dict[str, Any]:
    answer = await root.post(BASE + path, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def won(stage: Stage, name: str = "x", **columns: Any) -> list[str]:
    """Set up an experiment whose variant b has won; give its users."""
    await stage.experiment(name, **columns)
    control = await stage.users("control", 120, experiment=name)
    b = await stage.users("b", 120, experiment=name)
    await stage.pay([*control[:20], *b[:48]])
    return [*control, *b]


async def breaching(stage: Stage, name: str = "x") -> None:
    """Set up an experiment whose variant b breaches its guardrail."""
    await stage.experiment(name, guardrails=SUCCESS)
    good = await stage.users("control", 40, experiment=name)
    bad = await stage.users("b", 40, experiment=name)
    await stage.renders([*good, *bad[:10]])
    await stage.renders(bad[10:], "failed")
