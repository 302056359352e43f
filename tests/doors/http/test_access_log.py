"""One line and one measurement for every answer."""

import json
from collections.abc import Iterator
from io import StringIO

import httpx
import pytest

from medici.kernel.telemetry.logs import configure_logs
from tests.doors.http.trial import PATH
from tests.doors.support import DoorResources
from tests.support.databases import SqliteTemplate


@pytest.fixture
def template(sqlite_template: SqliteTemplate) -> SqliteTemplate:
    """One database: which of them lies beneath makes no difference here."""
    return sqlite_template


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """The log, as it is written."""
    stream = StringIO()
    configure_logs("info", json=True, stream=stream)
    yield stream
    configure_logs("warning", json=True)


def events(lines: StringIO, name: str) -> list[dict[str, object]]:
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    return [event for event in told if event["event"] == name]


class TestAccessLog:
    async def test_tells_what_was_asked_but_never_the_query(
        self, client: httpx.AsyncClient, lines: StringIO
    ) -> None:
        await client.get("/v1/auth/me?token=hunter2", headers={"X-Request-Id": "r-1"})

        [event] = events(lines, "http.answered")
        assert (event["method"], event["path"], event["status"]) == ("GET", "/v1/auth/me", 401)
        assert (event["code"], event["request_id"]) == ("missing_or_invalid_token", "r-1")
        assert "hunter2" not in lines.getvalue()

    async def test_tells_a_fault_once_with_its_cause_and_request(
        self, client: httpx.AsyncClient, lines: StringIO
    ) -> None:
        await client.post(PATH, json={"end": "fault"}, headers={"X-Request-Id": "r-2"})

        [event] = events(lines, "http.fault")
        assert event["request_id"] == "r-2"
        assert event["fault"] == "RuntimeError"
        assert "Traceback" in str(event["exception"])

    async def test_is_silent_about_health(self, client: httpx.AsyncClient, lines: StringIO) -> None:
        await client.get("/health")

        assert events(lines, "http.answered") == []

    async def test_cannot_be_forged(self, client: httpx.AsyncClient, lines: StringIO) -> None:
        await client.get("/a%0d%0a%1b[31m%e2%80%a8b")

        [event] = events(lines, "http.answered")
        assert event["path"] == "/a\\u000d\n\\u001b[31m\\u2028b"

    async def test_measures_by_template_of_the_route(
        self, client: httpx.AsyncClient, resources: DoorResources
    ) -> None:
        await client.get("/v1/trial/users/ada")
        await client.get("/v1/nothing/ada")

        measured = resources.metrics.render().decode()
        assert 'route="/v1/trial/users/{user_id}",status="401"} 1.0' in measured
        assert 'route="unknown",status="404"} 1.0' in measured
        assert "ada" not in measured
