"""Signing in and out, as the apps do it."""

from datetime import timedelta

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import func, select

from medici.domain.identity.models import AccessToken
from medici.domain.identity.service import disable_user
from medici.kernel.db.database import Database
from medici.settings import OidcIssuer
from tests.doors.conftest import OpenDoor, SignedIn
from tests.doors.support import NOW, FakeKeys, Hands

LOGIN = "/v1/auth/login-dev"
OIDC = "/v1/auth/oidc"
ISSUER = "https://accounts.example"
KEY = ec.generate_private_key(ec.SECP256R1())
JWK = {**jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k1"}


def bearer(answer: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


class TestLoginDev:
    async def test_gives_a_token_that_opens_the_door(self, client: httpx.AsyncClient) -> None:
        answer = await client.post(LOGIN, json={"user_id": "ada", "platform": "ios"})
        me = await client.get("/v1/auth/me", headers=bearer(answer))

        assert answer.status_code == 200
        token = answer.json().pop("access_token")
        assert token.startswith("dev_")
        assert answer.json() == {
            "access_token": token,
            "token_type": "bearer",
            "user_id": "ada",
            "expires_at": "2026-12-24T12:00:00Z",
        }
        assert me.json() == {
            "user_id": "ada",
            "platform": "ios",
            "expires_at": "2026-12-24T12:00:00Z",
        }

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"user_id": ""},
            {"user_id": "a" * 129},
            {"user_id": "a\x00"},
            {"user_id": 7},
            {"user_id": "ada", "ttl_hours": 0},
            {"user_id": "ada", "ttl_hours": 2161},
            {"user_id": "ada", "platform": "p" * 33},
        ],
        ids=range(8),
    )
    async def test_refuses_odd_input(
        self, client: httpx.AsyncClient, body: dict[str, object]
    ) -> None:
        assert (await client.post(LOGIN, json=body)).status_code == 422

    @pytest.mark.parametrize(
        ("settings", "status"),
        [
            ({"app_env": "production"}, 404),
            ({"app_env": "prod"}, 404),
            ({"app_env": "production", "allow_dev_login": True}, 200),
        ],
    )
    async def test_is_not_there_in_production_unless_forced(
        self, open_door: OpenDoor, settings: dict[str, object], status: int
    ) -> None:
        client = await open_door(**settings)

        answer = await client.post(LOGIN, json={"user_id": "ada"})

        assert answer.status_code == status

    async def test_keeps_no_answer_that_holds_a_token(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        for _ in range(2):
            answer = await client.post(
                LOGIN, json={"user_id": "ada"}, headers={"Idempotency-Key": "k"}
            )
            assert "Idempotency-Replayed" not in answer.headers

        async with database.reading() as session:
            assert await session.scalar(select(func.count()).select_from(AccessToken)) == 2


class TestMe:
    async def test_ends_with_logout_with_time_and_with_the_user(
        self, client: httpx.AsyncClient, signed_in: SignedIn, database: Database, clock: Hands
    ) -> None:
        left, late, gone = (
            await signed_in("ada"),
            await signed_in("bob", ttl=timedelta(hours=1)),
            await signed_in("eve"),
        )
        await client.post("/v1/auth/logout", headers=left)
        async with database.transaction() as session:
            await disable_user(session, user_id="eve", now=NOW)
        clock.advance(timedelta(hours=1))

        for headers in (left, late, gone):
            answer = await client.get("/v1/auth/me", headers=headers)
            assert answer.status_code == 401
            assert answer.json() == {"detail": "invalid_or_expired_token"}


class TestLogout:
    async def test_revokes_once(self, client: httpx.AsyncClient, signed_in: SignedIn) -> None:
        headers = await signed_in()

        answers = [await client.post("/v1/auth/logout", headers=headers) for _ in range(2)]

        assert [answer.json() for answer in answers] == [{"revoked": True}, {"revoked": False}]

    async def test_needs_a_token(self, client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/auth/logout")

        assert (answer.status_code, answer.json()) == (401, {"detail": "missing_or_invalid_token"})


def id_token(**claims: object) -> str:
    seconds = int(NOW.timestamp())
    whole = {"iss": ISSUER, "aud": "medici", "sub": "42", "iat": seconds, "exp": seconds + 60}
    return jwt.encode({**whole, **claims}, KEY, algorithm="ES256", headers={"kid": "k1"})


class TestLoginOidc:
    @pytest.fixture
    async def client(self, open_door: OpenDoor, oidc_keys: FakeKeys) -> httpx.AsyncClient:
        oidc_keys.published[ISSUER] = [JWK]
        return await open_door(
            app_env="production", oidc_issuers=(OidcIssuer(issuer=ISSUER, audience="medici"),)
        )

    async def test_gives_the_same_person_the_same_user(
        self, client: httpx.AsyncClient, oidc_keys: FakeKeys
    ) -> None:
        first = await client.post(OIDC, json={"id_token": id_token(), "platform": "ios"})
        second = await client.post(OIDC, json={"id_token": id_token()})
        other = await client.post(OIDC, json={"id_token": id_token(sub="43")})
        me = await client.get("/v1/auth/me", headers=bearer(first))

        assert first.json()["access_token"].startswith("tok_")
        assert first.json()["user_id"] == second.json()["user_id"] != other.json()["user_id"]
        assert me.json()["user_id"] == first.json()["user_id"]
        assert oidc_keys.asked == [(ISSUER, "k1")] * 3

    @pytest.mark.parametrize(
        "claims", [{"aud": "other"}, {"exp": 1}, {"sub": "a\n"}], ids=["aud", "exp", "sub"]
    )
    async def test_refuses_without_saying_why(
        self, client: httpx.AsyncClient, database: Database, claims: dict[str, object]
    ) -> None:
        answer = await client.post(OIDC, json={"id_token": id_token(**claims)})

        assert (answer.status_code, answer.json()) == (401, {"detail": "invalid_id_token"})
        async with database.reading() as session:
            assert await session.scalar(select(func.count()).select_from(AccessToken)) == 0

    async def test_asks_nobody_for_the_keys_of_a_stranger(
        self, client: httpx.AsyncClient, oidc_keys: FakeKeys
    ) -> None:
        token = id_token(iss="https://evil.example")

        answer = await client.post(OIDC, json={"id_token": token})

        assert (answer.status_code, oidc_keys.asked) == (401, [])
