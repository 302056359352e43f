"""An app hears of all its user's variants at once, as it starts or whenever it likes."""

from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from medici.domain.assignments.models import Assignment
from medici.doors.http.headers import IDEMPOTENCY_KEY
from medici.kernel.db.database import Database
from tests.domain.assignments.experiments import A_AND_B, Laboratory, experiment
from tests.doors.studio.conftest import Visit
from tests.doors.studio.statements import statements
from tests.doors.studio.visitor import Visitor
from tests.doors.support import NOW

SESSION = "/v1/session/bootstrap/me"
TOKEN = SecretStr("an operator's token")
PROOF = {"X-Admin-Token": TOKEN.get_secret_value()}


@pytest.fixture
def laboratory(database: Database) -> Laboratory:
    return Laboratory(database)


async def active(visitor: Visitor, user_id: str = "ada", **query: Any) -> httpx.Response:
    return await visitor.get(f"/v1/experiments/active/{user_id}", params=query)


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["experiment_id"] for each in answer.json()["assignments"]]


class TestActive:
    async def test_tells_what_assign_does(self, ada: Visitor, laboratory: Laboratory) -> None:
        await laboratory.store(experiment())

        shown = (await active(ada)).json()

        form = {"experiment_id": "paywall", "user_id": "ada"}
        assigned = (await ada.post("/v1/experiments/assign", json=form)).json()
        assert shown == {
            "user_id": "ada",
            "assignments": [{**assigned, "from_cache": False, "reason": "hash"}],
        }
        assert (await laboratory.row("ada")).first_exposed_at == NOW

    async def test_tells_no_experiment_that_leaves_the_user_out(
        self, ada: Visitor, laboratory: Laboratory
    ) -> None:
        await laboratory.store(
            experiment("a"),
            experiment("b", targeting={"country": ["TR"]}),
            experiment("c", traffic_percent=0.0),
        )

        assert ids(await active(ada)) == ["a"]
        assert ids(await active(ada, country="TR")) == ["a", "b"]
        assert ids(await active(ada)) == ["a", "b"]

    async def test_goes_by_all_that_can_be_known(
        self, ada: Visitor, laboratory: Laboratory
    ) -> None:
        await laboratory.store(
            experiment(
                targeting={
                    "platform": ["web"],
                    "app_version_min": "2.0",
                    "plan_id": ["free"],
                    "new_users_only": True,
                }
            )
        )

        assert ids(await active(ada, platform="web")) == []
        assert ids(await active(ada, platform="web", app_version="2.0.1")) == ["paywall"]

    async def test_draws_for_no_more_than_are_wanted(
        self, ada: Visitor, laboratory: Laboratory
    ) -> None:
        await laboratory.store(*(experiment(f"e{number}") for number in range(4)))

        assert ids(await active(ada, limit=2)) == ["e0", "e1"]
        assert await keys(laboratory) == ["e0", "e1"]

    @pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 201}, {"platform": "x" * 65}])
    async def test_has_limits(self, ada: Visitor, query: dict[str, Any]) -> None:
        assert (await active(ada, **query)).status_code == 422

    @pytest.mark.parametrize(
        "query",
        [
            {},
            {"limit": "1", "country": "TR", "shoe_size": "44"},
            {"limit": "many"},
            {"platform": ""},
            {"country": ["DE", "TR"]},
        ],
        ids=["usual", "every-kind", "no-number", "nothing", "twice"],
    )
    async def test_is_answered_alike_on_the_quick_way_and_on_the_plain_one(
        self, ada: Visitor, laboratory: Laboratory, query: dict[str, Any]
    ) -> None:
        config = {"text": "łóżko 床", "number": 1.5, "none": None, "list": [{"a": True}]}
        await laboratory.store(
            experiment("a", variants=[{**each, "config": config} for each in A_AND_B]),
            experiment("b", targeting={"country": ["TR"]}),
        )
        await active(ada, **query)
        path = "/v1/experiments/active/ada"

        quick = await ada.get(path, params=query)
        plain = await ada.get(path, params=query, headers={IDEMPOTENCY_KEY: "takes the plain way"})

        assert (quick.status_code, quick.content) == (plain.status_code, plain.content)
        if quick.status_code == 200:
            assert quick.json()["assignments"][0]["config"] == config

    async def test_tells_numbers_of_any_length(self, ada: Visitor, laboratory: Laboratory) -> None:
        config = {"number": 10**30}
        await laboratory.store(
            experiment(variants=[{**each, "config": config} for each in A_AND_B])
        )

        assert (await active(ada)).json()["assignments"][0]["config"] == config

    async def test_is_for_the_user_or_an_operator(self, ada: Visitor, visit: Visit) -> None:
        operator = await visit("", admin_api_token=TOKEN)
        path = "/v1/experiments/active/bob"

        assert (await active(ada, "bob")).status_code == 403
        assert (await active(await visit(""))).status_code == 401
        assert (await operator.get(path, headers=PROOF)).json() == {
            "user_id": "bob",
            "assignments": [],
        }


class TestSession:
    async def test_brings_the_same(self, ada: Visitor, laboratory: Laboratory) -> None:
        await laboratory.store(experiment("a"), experiment("b", targeting={"country": ["TR"]}))

        shown = (await ada.get(SESSION, params={"country": "TR"})).json()["experiments"]

        told = (await active(ada)).json()
        assert [each["experiment_id"] for each in told["assignments"]] == ["a", "b"]
        for each in told["assignments"]:
            each |= {"from_cache": False, "reason": "hash"}
        assert shown == told

    async def test_brings_as_many_as_are_wanted(self, ada: Visitor, laboratory: Laboratory) -> None:
        await laboratory.store(*(experiment(f"e{number}") for number in range(4)))

        shown = (await ada.get(SESSION, params={"experiment_limit": 3})).json()["experiments"]

        assert [each["experiment_id"] for each in shown["assignments"]] == ["e0", "e1", "e2"]
        assert await keys(laboratory) == ["e0", "e1", "e2"]

    async def test_asks_the_database_as_often_for_50_experiments_as_for_one(
        self, ada: Visitor, laboratory: Laboratory, database: Database
    ) -> None:
        await laboratory.store(experiment())
        await ada.get(SESSION)
        with statements(database) as for_one:
            await ada.get(SESSION)

        await laboratory.store(*(experiment(f"e{number}") for number in range(49)))
        with statements(database) as for_many:
            answer = await ada.get(SESSION)

        assert len(answer.json()["experiments"]["assignments"]) == 1
        assert len(for_many) == len(for_one)


async def keys(laboratory: Laboratory) -> list[str]:
    """Return the experiments in which somebody has a variant."""
    async with laboratory.database.reading() as session:
        return sorted(await session.scalars(select(Assignment.experiment_id)))
