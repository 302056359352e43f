"""An app asks for a variant: it gets one and keeps it, or hears why there is none."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from medici.domain.assignments.changes import changed
from medici.domain.assignments.models import Experiment, ExperimentStatus
from medici.domain.assignments.variables import HOLDOUT_PERCENT
from medici.doors.http.headers import IDEMPOTENCY_KEY
from medici.kernel.db.database import Database
from tests.domain.assignments.experiments import Laboratory, experiment
from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.doors.support import NOW, Hands

ASSIGN = "/v1/experiments/assign"
TOKEN = SecretStr("an operator's token")
PROOF = {"X-Admin-Token": TOKEN.get_secret_value()}
FIVE_SECONDS = timedelta(seconds=5)


@pytest.fixture
def laboratory(database: Database) -> Laboratory:
    return Laboratory(database)


async def ask(
    visitor: Visitor, user_id: str = "ada", headers: Mapping[str, str] | None = None, **form: Any
) -> httpx.Response:
    body = {"experiment_id": "paywall", "user_id": user_id, **form}
    return await visitor.post(ASSIGN, json=body, headers=headers)


async def reason(visitor: Visitor, **form: Any) -> str:
    """Return why ada gets what she gets."""
    answer = await ask(visitor, **form)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["reason"])


class TestAssign:
    async def test_tells_and_keeps_a_variant(self, ada: Visitor, laboratory: Laboratory) -> None:
        await laboratory.store(experiment())

        first, again = await ask(ada), await ask(ada)

        told = {
            "experiment_id": "paywall",
            "user_id": "ada",
            "variant_id": "b",
            "config": {"mode": "new"},
            "assigned_at": "2026-11-24T12:00:00Z",
            "from_cache": False,
            "in_experiment": True,
            "reason": "hash",
            "bucket": 0.9752,
            "phase": 1,
            "bucket_version": 0,
            "hash_version": 2,
        }
        assert (first.status_code, first.json()) == (200, told)
        assert again.json() == {**told, "from_cache": True, "reason": "sticky"}
        row = await laboratory.row("ada")
        assert (row.first_exposed_at, row.platform) == (NOW, "ios")

    async def test_does_not_expose_where_it_is_told_not_to(
        self, ada: Visitor, laboratory: Laboratory
    ) -> None:
        await laboratory.store(experiment())

        await ask(ada, expose=False)

        assert (await laboratory.row("ada")).first_exposed_at is None

    async def test_says_that_there_is_no_such_experiment(
        self, ada: Visitor, laboratory: Laboratory
    ) -> None:
        answer = await ask(ada)

        assert (answer.status_code, answer.json()) == (404, {"detail": "experiment_not_found"})

    @pytest.mark.parametrize("status", ["draft", "paused", "archived"])
    async def test_says_that_an_experiment_does_not_run(
        self, ada: Visitor, laboratory: Laboratory, status: str
    ) -> None:
        await laboratory.store(experiment(status=ExperimentStatus(status)))

        answer = await ask(ada)

        assert (answer.status_code, answer.json()) == (409, {"detail": "experiment_inactive"})
        assert await laboratory.rows() == {}

    async def test_answers_each_of_many_who_ask_at_once(
        self, ada: Visitor, laboratory: Laboratory
    ) -> None:
        await laboratory.store(
            experiment(), experiment("over", status=ExperimentStatus.PAUSED), experiment("other")
        )
        asked = ["paywall", "over", "nothing", "other", "paywall"] * 4

        answers = await asyncio.gather(*(ask(ada, experiment_id=each) for each in asked))

        assert [each.status_code for each in answers] == [200, 409, 404, 200, 200] * 4

    async def test_gives_50_who_ask_two_servers_at_once_one_row_and_one_answer(
        self, ada: Visitor, visit: Visit, laboratory: Laboratory
    ) -> None:
        await laboratory.store(experiment())
        two = [ada, await visit("ada")]

        answers = await asyncio.gather(*(ask(two[n % 2]) for n in range(50)))

        told = [each.json() for each in answers]
        assert {(each["variant_id"], each["assigned_at"]) for each in told} == {
            ("b", "2026-11-24T12:00:00Z")
        }
        assert [each["from_cache"] for each in told].count(False) == 1
        assert list(await laboratory.rows()) == ["ada"]


class TestWho:
    async def test_may_ask_for_themselves_alone(self, ada: Visitor, laboratory: Laboratory) -> None:
        await laboratory.store(experiment())

        answer = await ask(ada, "bob")

        assert (answer.status_code, answer.json()) == (403, {"detail": "forbidden_user_scope"})
        assert await laboratory.rows() == {}

    async def test_asks_nothing_without_a_token(self, visit: Visit) -> None:
        assert (await ask(await visit(""))).status_code == 401

    async def test_may_ask_for_anybody_as_an_operator(
        self, visit: Visit, laboratory: Laboratory
    ) -> None:
        await laboratory.store(experiment())
        operator = await visit("", admin_api_token=TOKEN)

        answer = await ask(operator, "bob", headers=PROOF)

        assert (answer.status_code, answer.json()["variant_id"]) == (200, "control")
        assert (await laboratory.row("bob")).platform is None


class TestTargeting:
    async def test_goes_by_what_the_app_tells(self, ada: Visitor, laboratory: Laboratory) -> None:
        await laboratory.store(
            experiment(
                targeting={"platform": ["web"], "country": ["TR"], "app_version_min": "2.4.0"}
            )
        )
        meant = {"platform": "web", "country": "TR", "app_version": "2.10.0"}

        assert await reason(ada, attributes={**meant, "app_version": "2.3.9"}) == "not_targeted"
        assert await reason(ada, attributes={**meant, "platform": None}) == "not_targeted"
        assert await reason(ada, attributes={"country": "TR"}) == "not_targeted"
        assert await reason(ada) == "not_targeted"
        assert await reason(ada, attributes=meant) == "hash"
        assert await reason(ada) == "sticky"

    async def test_knows_where_a_user_signed_in(self, ada: Visitor, laboratory: Laboratory) -> None:
        await laboratory.store(experiment(targeting={"platform": ["ios"]}))

        assert await reason(ada, attributes={"platform": "android"}) == "not_targeted"
        assert await reason(ada) == "hash"

    async def test_goes_by_the_plan_that_the_server_knows(
        self, visit: Visit, laboratory: Laboratory
    ) -> None:
        await laboratory.store(experiment(targeting={"plan_id": ["pro"]}))
        ada = await visit("ada", admin_api_token=TOKEN)
        claimed = {"attributes": {"plan_id": "pro"}}

        assert await reason(ada, **claimed) == "not_targeted"
        form = {"plan_id": "pro", "expires_at": "2026-12-24T12:00:00Z", "reason": "a friend"}
        path = "/v1/admin/subscriptions/overrides/ada"
        assert (await ada.client.put(path, json=form, headers=PROOF)).status_code == 200
        assert await reason(ada) == "hash"

    async def test_knows_who_is_new(
        self, ada: Visitor, visit: Visit, laboratory: Laboratory, clock: Hands
    ) -> None:
        await laboratory.store(
            experiment(targeting={"new_users_only": True}, phase_started_at=NOW + FIVE_SECONDS)
        )
        clock.advance(FIVE_SECONDS)
        bob = await visit("bob")

        assert await reason(ada) == "not_targeted"
        assert await reason(bob, user_id="bob") == "hash"

    async def test_takes_nobody_for_new_who_never_came(
        self, visit: Visit, laboratory: Laboratory
    ) -> None:
        await laboratory.store(experiment(targeting={"new_users_only": True}))
        operator = await visit("", admin_api_token=TOKEN)

        answer = await ask(operator, "nobody", headers=PROOF)

        assert answer.json()["reason"] == "not_targeted"

    async def test_holds_out_as_many_as_the_operator_says(
        self, ada: Visitor, laboratory: Laboratory
    ) -> None:
        await laboratory.store(experiment())
        path = f"/v1/admin/variables/{HOLDOUT_PERCENT.key}"
        await ada.client.put(path, json={"value": 18})

        assert await reason(ada) == "holdout"  # ada's bucket is 0.1728


class TestCopies:
    async def test_are_five_seconds_old_at_most(
        self, ada: Visitor, laboratory: Laboratory, clock: Hands
    ) -> None:
        await laboratory.store(experiment())
        await ask(ada)
        await laboratory.change(status=ExperimentStatus.PAUSED)

        clock.advance(FIVE_SECONDS - timedelta(milliseconds=1))
        assert (await ask(ada)).status_code == 200
        clock.advance(timedelta(milliseconds=1))
        assert (await ask(ada)).status_code == 409

    async def test_are_forgotten_at_once_where_the_change_was_made(
        self, ada: Visitor, laboratory: Laboratory, database: Database
    ) -> None:
        await laboratory.store(experiment())
        await ask(ada)

        async with database.transaction() as session:
            (await session.get_one(Experiment, "paywall")).status = ExperimentStatus.PAUSED
            changed(session)

        assert (await ask(ada)).status_code == 409

    async def test_hide_nothing_that_was_just_started(
        self, ada: Visitor, laboratory: Laboratory
    ) -> None:
        await ask(ada)

        await laboratory.store(experiment())

        assert (await ask(ada)).status_code == 200

    async def test_enrol_nobody_by_a_set_up_that_is_gone(
        self, visit: Visit, laboratory: Laboratory
    ) -> None:
        await laboratory.store(experiment())
        operator = await visit("", admin_api_token=TOKEN)
        await ask(operator, "ada", headers=PROOF)

        await laboratory.change(bucket_version=1, seed="paywall:v1", phase=2)
        told = (await ask(operator, "bob", headers=PROOF)).json()

        assert (told["bucket_version"], told["phase"], told["bucket"]) == (1, 2, 0.3406)


class TestRepetition:
    async def test_with_a_key_gets_the_first_answer_again(
        self, ada: Visitor, laboratory: Laboratory
    ) -> None:
        await laboratory.store(experiment())
        key = {IDEMPOTENCY_KEY: "once"}

        first, again = await ask(ada, headers=key), await ask(ada, headers=key)

        assert first.json()["from_cache"] is False
        assert again.json() == first.json()
        assert again.headers["idempotency-replayed"] == "true"

    @pytest.mark.parametrize(
        "form",
        [
            pytest.param({}, id="usual"),
            pytest.param({"attributes": None}, id="no-attributes"),
            pytest.param({"attributes": {"shoe_size": 44}}, id="unknown-attributes"),
            pytest.param({"experiment_id": ""}, id="no-name"),
            pytest.param({"experiment_id": "nothing"}, id="no-experiment"),
            pytest.param({"experiment_id": "over"}, id="over"),
            pytest.param({"expose": "perhaps"}, id="not-a-truth"),
            pytest.param({"user_id": "bob"}, id="another"),
        ],
    )
    async def test_without_a_key_is_answered_in_the_same_words(
        self, ada: Visitor, laboratory: Laboratory, form: dict[str, Any]
    ) -> None:
        await laboratory.store(experiment(), experiment("over", status=ExperimentStatus.PAUSED))
        await ask(ada)

        body = {"experiment_id": "paywall", "user_id": "ada", **form}
        plain = await ada.post(ASSIGN, json=body, headers={IDEMPOTENCY_KEY: "a key"})
        quick = await ada.post(ASSIGN, json=body)

        assert (quick.status_code, quick.content) == (plain.status_code, plain.content)
