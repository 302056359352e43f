"""Failures on the wire say what a client needs and nothing that it must not know."""

import httpx
import pytest
from fastapi import FastAPI

from medici.doors.http.accents import Accents, Failure, studio_accent
from medici.doors.http.errors import STATUS
from medici.kernel.errors import Kind
from tests.support.databases import SqliteTemplate

PATH = "/v1/trial/effects"


@pytest.fixture
def template(sqlite_template: SqliteTemplate) -> SqliteTemplate:
    """One database: which of them lies beneath makes no difference here."""
    return sqlite_template


class TestRefusal:
    async def test_is_worded_by_its_code(self, client: httpx.AsyncClient) -> None:
        answer = await client.post(PATH, json={"end": "forbidden"})

        assert (answer.status_code, answer.json()) == (403, {"detail": "not_yours"})

    async def test_carries_its_details(self, client: httpx.AsyncClient) -> None:
        answer = await client.post(PATH, json={"end": "refused"})

        assert answer.json() == {"detail": "too_late", "since": "yesterday"}

    @pytest.mark.parametrize(
        ("end", "status", "retry_after"), [("too_often", 429, "3"), ("away", 503, "1")]
    )
    async def test_says_when_to_come_back(
        self, client: httpx.AsyncClient, end: str, status: int, retry_after: str
    ) -> None:
        answer = await client.post(PATH, json={"end": end})

        assert (answer.status_code, answer.headers["Retry-After"]) == (status, retry_after)

    async def test_names_the_scheme_where_a_token_is_missing(
        self, client: httpx.AsyncClient
    ) -> None:
        answer = await client.get("/v1/auth/me")

        assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_has_a_status_for_every_kind(self) -> None:
        assert set(STATUS) == set(Kind)


class TestFault:
    async def test_tells_nothing_but_the_id_under_which_it_is_logged(
        self, client: httpx.AsyncClient
    ) -> None:
        answer = await client.post(PATH, json={"end": "fault"}, headers={"X-Request-Id": "r-7"})

        assert answer.status_code == 500
        assert answer.json() == {
            "detail": "Something went wrong on our side.",
            "code": "internal_error",
            "request_id": "r-7",
        }
        assert answer.headers["X-Request-Id"] == "r-7"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


class TestInvalidInput:
    async def test_is_explained_without_being_repeated(self, client: httpx.AsyncClient) -> None:
        answer = await client.post(PATH, json={"end": "my password"})

        assert answer.status_code == 422
        [problem] = answer.json()["detail"]
        assert set(problem) == {"type", "loc", "msg"}
        assert problem["loc"] == ["body", "end"]
        assert "my password" not in answer.text

    @pytest.mark.parametrize(
        "body",
        [
            b'{"\\ud800": 1, "end": "odd"}',
            b"[" * 100_000,
            b'{"end": 1e400}',
            b"\xff\xfe",
            b"{",
            b"",
        ],
        ids=["surrogate", "nested", "infinite", "bytes", "half", "empty"],
    )
    async def test_of_any_kind_is_our_clients_fault(
        self, client: httpx.AsyncClient, body: bytes
    ) -> None:
        answer = await client.post(PATH, content=body, headers={"content-type": "application/json"})

        assert 400 <= answer.status_code < 500


class TestUnknown:
    async def test_path_and_method_are_worded_like_any_refusal(
        self, client: httpx.AsyncClient
    ) -> None:
        path = await client.get("/v1/nothing")
        method = await client.delete("/v1/auth/me")

        assert (path.status_code, path.json()) == (404, {"detail": "not_found"})
        assert (method.status_code, method.json()) == (405, {"detail": "method_not_allowed"})
        assert method.headers["Allow"] == "GET"


class TestAccents:
    def test_the_longest_prefix_on_a_boundary_wins(self) -> None:
        def compass(failure: Failure) -> dict[str, object]:
            return {"detail": failure.message, "code": failure.code}

        def storefront(failure: Failure) -> dict[str, object]:
            return {"detail": failure.message}

        accents = Accents({"/api": compass, "/api/v1": storefront})

        assert accents.of("/api/usage/tips") is compass
        assert accents.of("/api/v1/orders") is storefront
        assert accents.of("/api/v10") is compass
        assert accents.of("/apis") is studio_accent

    async def test_word_failures_of_a_door(self, app: FastAPI, client: httpx.AsyncClient) -> None:
        app.state.accents = Accents({"/v1/trial": lambda failure: {"error": failure.code}})

        answer = await client.post(PATH, json={"end": "forbidden"})

        assert answer.json() == {"error": "not_yours"}
