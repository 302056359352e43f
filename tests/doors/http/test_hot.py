"""A hot route tries its quick way first, and its plain one wherever that gives no answer."""

import httpx
import pytest
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from medici.doors.http.headers import IDEMPOTENCY_KEY
from medici.doors.http.hot import HotRoute, json_response, quickly
from medici.kernel.errors import Kind, MediciError
from tests.doors.support import Parts, Worker

PATH = "/v1/hot/words"


class TooLong(MediciError):
    kind = Kind.INVALID
    code = "too_long"


class Word(BaseModel):
    word: str


class WordOut(BaseModel):
    word: str
    way: str


class Words:
    """Repeats a word and remembers which way it came."""

    def __init__(self) -> None:
        self.ways: list[str] = []

    async def quickly(self, request: Request) -> Response | None:
        self.ways.append("quick")
        word = (await request.json())["word"]
        if word == "odd":
            return None
        if word == "long":
            raise TooLong("too long")
        return json_response(WordOut(word=word, way="quick"))

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/v1/hot", route_class=HotRoute)

        @router.post("/words")
        @quickly(self.quickly)
        async def repeat(body: Word) -> WordOut:
            self.ways.append("plain")
            return WordOut(word=body.word, way="plain")

        @router.post("/plain")
        async def plainly(body: Word) -> WordOut:
            self.ways.append("plain")
            return WordOut(word=body.word, way="plain")

        return router


@pytest.fixture
def words() -> Words:
    return Words()


@pytest.fixture
def parts(words: Words) -> Parts:
    return Parts(routers=[words.router()], worker=Worker())


class TestHotRoute:
    async def test_takes_the_quick_way(self, client: httpx.AsyncClient, words: Words) -> None:
        answer = await client.post(PATH, json={"word": "łóżko"})

        assert answer.content == '{"word":"łóżko","way":"quick"}'.encode()
        assert answer.headers["content-type"] == "application/json"
        assert words.ways == ["quick"]

    async def test_takes_the_plain_way_where_the_quick_one_has_no_answer(
        self, client: httpx.AsyncClient, words: Words
    ) -> None:
        answer = await client.post(PATH, json={"word": "odd"})

        assert answer.json() == {"word": "odd", "way": "plain"}
        assert words.ways == ["quick", "plain"]

    async def test_takes_the_plain_way_with_a_key(
        self, client: httpx.AsyncClient, words: Words
    ) -> None:
        answer = await client.post(PATH, json={"word": "a"}, headers={IDEMPOTENCY_KEY: "tap-1"})

        assert answer.json() == {"word": "a", "way": "plain"}
        assert words.ways == ["plain"]

    async def test_refuses_a_bad_key_on_no_way(
        self, client: httpx.AsyncClient, words: Words
    ) -> None:
        answer = await client.post(PATH, json={"word": "a"}, headers={IDEMPOTENCY_KEY: ""})

        assert answer.status_code == 400
        assert answer.json()["detail"] == "idempotency_key_invalid"
        assert words.ways == []

    async def test_words_a_refusal_of_the_quick_way_as_any_other(
        self, client: httpx.AsyncClient, words: Words
    ) -> None:
        answer = await client.post(PATH, json={"word": "long"})

        assert (answer.status_code, answer.json()["detail"]) == (400, "too_long")
        assert words.ways == ["quick"]

    async def test_leaves_other_routes_as_they_are(
        self, client: httpx.AsyncClient, words: Words
    ) -> None:
        answer = await client.post("/v1/hot/plain", json={"word": "a"})

        assert answer.json() == {"word": "a", "way": "plain"}
        assert words.ways == ["plain"]


class TestJsonResponse:
    async def test_writes_a_model_as_the_plain_way_does(self, client: httpx.AsyncClient) -> None:
        for word in ("a", "łóżko 床 🛏️", 'say "hi"', "\u2028</script>", "\x7f\x01"):
            plain = await client.post("/v1/hot/plain", json={"word": word})
            quick = json_response(WordOut(word=word, way="plain"))

            assert plain.content == quick.body
