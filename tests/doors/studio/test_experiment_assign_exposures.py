"""An app tells what it has shown."""

from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from medici.domain.assignments.models import ExposureMode
from medici.doors.http.headers import IDEMPOTENCY_KEY
from medici.kernel.db.database import Database
from tests.domain.assignments.experiments import Laboratory, experiment
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.doors.support import NOW

EXPOSURES = "/v1/experiments/exposures"
TOKEN = SecretStr("an operator's token")
PROOF = {"X-Admin-Token": TOKEN.get_secret_value()}
SHOWN = {"experiment_id": "paywall", "variant_id": "b"}


@pytest.fixture
async def laboratory(database: Database, ada: Visitor) -> Laboratory:
    """A laboratory in which ada has b, and only the app tells what she sees."""
    laboratory = Laboratory(database)
    await laboratory.store(experiment(exposure_mode=ExposureMode.EXPLICIT))
    form = {"experiment_id": "paywall", "user_id": "ada"}
    assert (await ada.post("/v1/experiments/assign", json=form)).status_code == 200
    return laboratory


async def tell(
    visitor: Visitor, *shown: dict[str, Any], user_id: str = "ada", **headers: str
) -> httpx.Response:
    body = {"user_id": user_id, "exposures": shown}
    return await visitor.post(EXPOSURES, json=body, headers=headers)


class TestExposures:
    async def test_count_from_the_first(self, ada: Visitor, laboratory: Laboratory) -> None:
        assert (await laboratory.row("ada")).first_exposed_at is None

        first, again = await tell(ada, SHOWN), await tell(ada, SHOWN)

        assert first.json() == {"accepted": 1, "duplicates": 0, "rejected": []}
        assert again.json() == {"accepted": 0, "duplicates": 1, "rejected": []}
        assert (await laboratory.row("ada")).first_exposed_at == NOW

    async def test_are_judged_one_by_one(self, ada: Visitor, laboratory: Laboratory) -> None:
        answer = await tell(
            ada,
            {**SHOWN, "experiment_id": "nothing"},
            {**SHOWN, "occurred_at": "2026-11-24T12:00:00"},
            {**SHOWN, "variant_id": "typo"},
            {**SHOWN, "occurred_at": "2026-11-23T12:00:00+01:00"},
        )

        assert answer.json() == {
            "accepted": 1,
            "duplicates": 1,
            "rejected": [
                {"index": 0, "code": "experiment_not_found"},
                {"index": 2, "code": "variant_not_found"},
            ],
        }

    async def test_of_two_variants_end_the_comparison(
        self, ada: Visitor, laboratory: Laboratory
    ) -> None:
        await tell(ada, SHOWN)

        answer = await tell(ada, {**SHOWN, "variant_id": "control"})

        assert answer.json()["accepted"] == 1
        assert (await laboratory.row("ada")).multiply_exposed

    async def test_come_up_to_500_at_once(self, ada: Visitor, laboratory: Laboratory) -> None:
        assert (await tell(ada, *[SHOWN] * 500)).json()["duplicates"] == 499
        assert (await tell(ada, *[SHOWN] * 501)).status_code == 422
        assert (await tell(ada)).status_code == 422

    async def test_are_ones_own_or_an_operators(
        self, ada: Visitor, visit: Visit, laboratory: Laboratory
    ) -> None:
        operator = await visit("", admin_api_token=TOKEN)

        assert (await tell(ada, SHOWN, user_id="bob")).status_code == 403
        assert (await tell(await visit(""), SHOWN)).status_code == 401
        assert (await tell(operator, SHOWN, **PROOF)).json()["accepted"] == 1

    async def test_with_a_key_are_answered_once(self, ada: Visitor, laboratory: Laboratory) -> None:
        key = {IDEMPOTENCY_KEY: "once"}

        first, again = await tell(ada, SHOWN, **key), await tell(ada, SHOWN, **key)

        assert again.json() == first.json()
        assert again.headers["idempotency-replayed"] == "true"
