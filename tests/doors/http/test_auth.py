"""Who is let in as whom."""

from itertools import product

import httpx
import pytest
from pydantic import SecretStr

from tests.doors.conftest import OpenDoor, SignedIn
from tests.support.databases import SqliteTemplate

OPERATOR = "/v1/trial/operator"
OWNER = "/v1/trial/users/ada"
MODES: list[dict[str, object]] = [
    {"app_env": env, "admin_api_token": token, "admin_user_ids": ids, "allow_open_admin_mode": mode}
    for env, token, ids, mode in product(
        ("test", "production"), (None, SecretStr("right")), ((), ("ada",)), (None, False, True)
    )
]


@pytest.fixture
def template(sqlite_template: SqliteTemplate) -> SqliteTemplate:
    """One database: which of them lies beneath makes no difference here."""
    return sqlite_template


def expected(mode: dict[str, object], sent: str | None, bearer: str) -> tuple[int, str]:
    token, ids = mode["admin_api_token"], mode["admin_user_ids"]
    chosen = mode["allow_open_admin_mode"]
    if not token and not ids:
        if not (mode["app_env"] == "test" if chosen is None else chosen):
            return 401, "admin_auth_not_configured"
        return (401, "missing_or_invalid_admin_token") if sent else (200, "open_mode")
    if sent:
        right = bool(token) and sent == "right"
        return (200, "admin_token") if right else (401, "missing_or_invalid_admin_token")
    if not ids:
        return 401, "missing_or_invalid_admin_token"
    return {
        "none": (401, "missing_or_invalid_token"),
        "garbage": (401, "invalid_or_expired_token"),
        "ada": (200, "user:ada"),
        "bob": (403, "forbidden_admin_scope"),
    }[bearer]


class TestOperator:
    async def test_is_decided_by_the_table(self, open_door: OpenDoor, signed_in: SignedIn) -> None:
        bearers = {
            "none": {},
            "garbage": {"Authorization": "Bearer tok_garbage"},
            "ada": await signed_in("ada"),
            "bob": await signed_in("bob"),
        }

        for mode in MODES:
            client = await open_door(**mode)
            for sent, bearer in product((None, "right", "wrong"), bearers):
                headers = bearers[bearer] | ({"X-Admin-Token": sent} if sent else {})
                answer = await client.get(OPERATOR, headers=headers)

                told = answer.json().get("actor") or answer.json()["detail"]
                case = (mode, sent, bearer)
                assert (answer.status_code, told) == expected(*case), case


class TestBearer:
    @pytest.mark.parametrize(
        "value",
        [
            "",
            "Bearer",
            "Bearer ",
            "Basic YWRhOmFkYQ==",
            "Token tok_1",
            "Bearer a b",
            "Bearer tok_\x00",
            "Bearer " + "x" * 1_000_000,
            "Bearer tok_é",
        ],
        ids=range(9),
    )
    async def test_that_is_garbled_counts_as_missing(
        self, client: httpx.AsyncClient, value: str
    ) -> None:
        headers = {b"Authorization": value.encode("latin-1")}

        answer = await client.get("/v1/auth/me", headers=headers)

        assert (answer.status_code, answer.json()) == (401, {"detail": "missing_or_invalid_token"})

    @pytest.mark.parametrize("token", ["tok_unknown", "' OR '1'='1", "tok_%00", "%ud800"])
    async def test_that_is_unknown_is_invalid(self, client: httpx.AsyncClient, token: str) -> None:
        quoted = token.replace(" ", "")

        answer = await client.get("/v1/auth/me", headers={"Authorization": f"Bearer {quoted}"})

        assert (answer.status_code, answer.json()) == (401, {"detail": "invalid_or_expired_token"})

    async def test_is_read_whatever_the_case_of_its_scheme(
        self, client: httpx.AsyncClient, signed_in: SignedIn
    ) -> None:
        headers = {
            "Authorization": (await signed_in())["Authorization"].replace("Bearer", "bEARER")
        }

        assert (await client.get("/v1/auth/me", headers=headers)).status_code == 200

    async def test_must_be_good_where_it_is_optional(
        self, client: httpx.AsyncClient, signed_in: SignedIn
    ) -> None:
        statuses = []
        for headers in ({}, await signed_in(), {"Authorization": "Bearer tok_garbage"}):
            answer = await client.post("/v1/trial/effects", json={}, headers=headers)
            statuses.append(answer.status_code)

        assert statuses == [201, 201, 401]


class TestOwnerOrOperator:
    async def test_takes_the_owner(self, client: httpx.AsyncClient, signed_in: SignedIn) -> None:
        answer = await client.get(OWNER, headers=await signed_in("ada"))

        assert answer.json() == {"for": "ada"}

    @pytest.mark.parametrize("path", ["bob", "ADA", "ada%20", "%61da%00", "0", "Ada"])
    async def test_refuses_every_other_id(
        self, client: httpx.AsyncClient, signed_in: SignedIn, path: str
    ) -> None:
        answer = await client.get(f"/v1/trial/users/{path}", headers=await signed_in("ada"))

        assert (answer.status_code, answer.json()) == (403, {"detail": "forbidden_user_scope"})

    async def test_takes_the_word_of_an_operator(
        self, open_door: OpenDoor, signed_in: SignedIn
    ) -> None:
        client = await open_door(admin_api_token=SecretStr("right"), admin_user_ids=("eve",))

        by_token = await client.get(OWNER, headers={"X-Admin-Token": "right"})
        by_list = await client.get(OWNER, headers=await signed_in("eve"))
        by_wrong = await client.get(OWNER, headers={"X-Admin-Token": "wrong"})

        assert [a.status_code for a in (by_token, by_list, by_wrong)] == [200, 200, 401]

    async def test_does_not_open_with_the_admin_routes(
        self, client: httpx.AsyncClient, signed_in: SignedIn
    ) -> None:
        nobody = await client.get(OWNER)
        other = await client.get(OWNER, headers=await signed_in("bob"))

        assert (nobody.status_code, other.status_code) == (401, 403)
