"""Variables over HTTP: what some code reads cannot be set to nonsense."""

from typing import Any

import httpx
import pytest

from tests.doors.studio.visitor import Visitor

IN_FLIGHT = "/v1/admin/variables/max_jobs_in_flight_per_user"
MINE = "/v1/admin/variables/banner.text"


async def put(visitor: Visitor, path: str, value: object, **form: Any) -> httpx.Response:
    return await visitor.client.put(path, json={"value": value, **form})


class TestVariables:
    async def test_list_what_is_stored_and_what_is_known(self, ada: Visitor) -> None:
        await put(ada, MINE, "Hello")
        await ada.client.delete(IN_FLIGHT)

        listed = {each["key"]: each for each in (await ada.get("/v1/admin/variables")).json()}

        assert listed["max_jobs_in_flight_per_user"] == {
            "key": "max_jobs_in_flight_per_user",
            "value": 10,
            "description": "How many unfinished renders one user may have at once.",
            "known": True,
            "is_default": True,
            "default": 10,
            "type": "integer",
            "minimum": 1,
            "maximum": 10_000,
            "choices": None,
        }
        assert listed["banner.text"] == {
            "key": "banner.text",
            "value": "Hello",
            "description": None,
            "known": False,
            "is_default": False,
            "default": None,
            "type": None,
            "minimum": None,
            "maximum": None,
            "choices": None,
        }
        assert listed["daily_credit_limit_enabled"]["value"] is True
        assert sorted(listed) == list(listed)

    async def test_list_one_sort_alone(self, ada: Visitor) -> None:
        await put(ada, MINE, "Hello")

        foreign = (await ada.get("/v1/admin/variables?known=false")).json()

        assert [each["key"] for each in foreign] == ["banner.text"]

    async def test_count_at_once(self, ada: Visitor) -> None:
        await put(ada, "/v1/admin/variables/daily_credit_limit_enabled", False)

        await ada.order()

        assert await ada.balance() == 3

    @pytest.mark.parametrize("value", [True, 12, 0.25, "", "a text", -(2**53), 2**53])
    async def test_of_ones_own_take_every_scalar(self, ada: Visitor, value: object) -> None:
        saved = (await put(ada, MINE, value, description="mine")).json()

        assert (saved["value"], type(saved["value"])) == (value, type(value))
        assert (await ada.get(MINE)).json() == saved
        assert saved["description"] == "mine"

    @pytest.mark.parametrize("value", [None, [], {}, ["a"], 2**53 + 1, "x" * 2_001])
    async def test_take_nothing_else(self, ada: Visitor, value: object) -> None:
        assert (await put(ada, MINE, value)).status_code == 422

    @pytest.mark.parametrize("sent", ['{"value": NaN}', '{"value": 1e999}', '{"value": "\\ud800"}'])
    async def test_take_no_number_or_text_that_is_none(self, ada: Visitor, sent: str) -> None:
        headers = {"Content-Type": "application/json"}
        answer = await ada.client.put(MINE, content=sent, headers=headers)

        assert answer.status_code == 422

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            (0, "variable_out_of_bounds"),
            (10_001, "variable_out_of_bounds"),
            ("10", "variable_wrong_type"),
            (True, "variable_wrong_type"),
            (2.5, "variable_wrong_type"),
        ],
    )
    async def test_that_are_known_keep_to_their_type_and_bounds(
        self, ada: Visitor, value: object, code: str
    ) -> None:
        refused = await put(ada, IN_FLIGHT, value)

        assert (refused.status_code, refused.json()) == (
            422,
            {
                "detail": code,
                "key": "max_jobs_in_flight_per_user",
                "type": "integer",
                "minimum": 1,
                "maximum": 10_000,
            },
        )
        assert (await ada.get(IN_FLIGHT)).json()["value"] == 10

    async def test_refuse_fields_that_they_do_not_have(self, ada: Visitor) -> None:
        assert (await put(ada, MINE, 1, descripton="a slip")).status_code == 422
        assert (await put(ada, MINE, 1, key="another")).status_code == 422

    async def test_are_forgotten_once(self, ada: Visitor) -> None:
        await put(ada, MINE, 1)

        gone = await ada.client.delete(MINE)
        again = await ada.client.delete(MINE)

        assert gone.json() == {"deleted": True}
        assert (again.status_code, again.json()["detail"]) == (404, "variable_not_found")
        assert (await ada.get(MINE)).status_code == 404
