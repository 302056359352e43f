"""An order is answered alike on the quick way and on the plain one, to the last byte."""

import json
from collections.abc import Mapping

import pytest

from medici.doors.http.headers import IDEMPOTENCY_KEY
from tests.doors.studio.orders import FOREIGN
from tests.doors.studio.visitor import Visitor
from tests.support.studio import Studio

PATH = "/v1/ai/render-jobs"
ORDER = {
    "project_id": "home",
    "style_id": "modern",
    "operation": "restyle",
    "image_url": FOREIGN,
}
AS_JSON = {"Content-Type": "application/json"}
NOBODY = {**AS_JSON, "Authorization": ""}
STRANGER = {**AS_JSON, "Authorization": "Bearer tok_of_nobody_whom_we_know"}

Request = tuple[bytes, Mapping[str, str]]
Answer = tuple[int, bytes, dict[str, str]]


def order(**changes: object) -> bytes:
    """Write an order; None leaves a field out."""
    return json.dumps({**ORDER, **changes}).encode()


def without(field: str) -> bytes:
    return json.dumps({name: value for name, value in ORDER.items() if name != field}).encode()


def with_raw(field: str, text: str) -> bytes:
    """Write an order with a field whose JSON is given."""
    return order()[:-1] + f', "{field}": {text}}}'.encode()


REQUESTS: dict[str, tuple[int, Request]] = {
    # What is taken.
    "usual": (200, (order(), AS_JSON)),
    "its own user": (200, (order(user_id="ada"), AS_JSON)),
    "every field": (
        200,
        (
            order(
                platform="web",
                operation="repaint",
                target_parts=["floor", "walls", "floor"],
                prompt_overrides={"mood": "łóżko 床 🛏️", "n": 3, "f": 1.5, "b": True, "x": None},
            ),
            AS_JSON,
        ),
    ),
    "fields that nobody knows": (200, (order(later=[1, {"a": None}]), AS_JSON)),
    "a field twice": (200, (with_raw("style_id", '"rustic"'), AS_JSON)),
    "not a number": (200, (with_raw("prompt_overrides", '{"n": NaN}'), AS_JSON)),
    "infinity": (200, (with_raw("prompt_overrides", '{"n": -Infinity, "m": 1e999}'), AS_JSON)),
    "a large number": (200, (order(prompt_overrides={"n": 10**40}), AS_JSON)),
    "digits in a long text": (200, (order(prompt_overrides={"n": "7" * 501}), AS_JSON)),
    "white space": (200, (b" \r\n\t" + order() + b"\n", AS_JSON)),
    "a byte order mark": (200, (b"\xef\xbb\xbf" + order(), AS_JSON)),
    "another encoding": (200, (order().decode().encode("utf-16"), AS_JSON)),
    "a charset": (200, (order(), {"Content-Type": "application/json; charset=utf-8"})),
    "a false charset": (200, (order(), {"Content-Type": "application/json;charset=latin-1"})),
    "a type in capitals": (200, (order(), {"Content-Type": "Application/JSON"})),
    "a relative of JSON": (200, (order(), {"Content-Type": "application/json-patch+json"})),
    "no preview needed": (200, (order(tier="final"), AS_JSON)),
    # What does not fit.
    "a field missing": (422, (without("style_id"), AS_JSON)),
    "all fields missing": (422, (b"{}", AS_JSON)),
    "a wrong enum": (422, (order(tier="middling"), AS_JSON)),
    "a wrong type": (422, (order(project_id=5), AS_JSON)),
    "an empty text": (422, (order(style_id=""), AS_JSON)),
    "a long text": (422, (order(project_id="x" * 129), AS_JSON)),
    "no parts": (422, (order(target_parts=[]), AS_JSON)),
    "half a surrogate pair": (422, (with_raw("project_id", '"\\ud800"'), AS_JSON)),
    "a list": (422, (b"[]", AS_JSON)),
    "null": (422, (b"null", AS_JSON)),
    "nothing": (422, (b"", AS_JSON)),
    "no JSON": (422, (b"{'project_id': 'home'}", AS_JSON)),
    "cut short": (422, (order()[:-1], AS_JSON)),
    "two orders": (422, (order() + order(), AS_JSON)),
    "bytes that are no text": (400, (order(project_id="home").replace(b"home", b"\xff"), AS_JSON)),
    "a number without end": (400, (with_raw("later", "7" * 5_000), AS_JSON)),
    "brackets without end": (400, (with_raw("later", "[" * 200_000), AS_JSON)),
    "more than a request may be": (413, (order(later="x" * 1024 * 1024), AS_JSON)),
    "text": (422, (order(), {"Content-Type": "text/plain"})),
    "a stranger of JSON": (422, (order(), {"Content-Type": "application/jsonx"})),
    "no type": (422, (order(), {})),
    # Who may not.
    "nobody": (401, (order(), NOBODY)),
    "a stranger": (401, (order(), STRANGER)),
    "a stranger with a field missing": (401, (without("style_id"), STRANGER)),
    "a stranger without JSON": (422, (b"{", STRANGER)),
    "a stranger with too much": (413, (order(later="x" * 1024 * 1024), STRANGER)),
    "another's order": (403, (order(user_id="bob"), AS_JSON)),
    # What leads astray.
    "a blocked host": (400, (order(image_url="https://localhost/room.jpg"), AS_JSON)),
    "a strange scheme": (400, (order(mask_url="ftp://example.com/mask.png"), AS_JSON)),
}
AFTER_A_PREVIEW = {"preview first": (409, (order(tier="final"), AS_JSON))}
TOO_DEAR = {"not covered": (402, (order(tier="final"), AS_JSON))}


@pytest.fixture
async def rich(studio: Studio) -> None:
    await studio.customer("ada", credits=1_000)


async def answers(
    ada: Visitor, requests: Mapping[str, tuple[int, Request]], *, keyed: bool
) -> dict[str, Answer]:
    """Send every request, with a key or without; return what was answered."""
    return {
        name: await answered(
            ada, content, {**headers, **({IDEMPOTENCY_KEY: name} if keyed else {})}
        )
        for name, (_, (content, headers)) in requests.items()
    }


async def answered(ada: Visitor, content: bytes, headers: Mapping[str, str]) -> Answer:
    """Return status, body and headers, without what differs each time."""
    answer = await ada.post(PATH, content=content, headers=headers)
    body = answer.content
    if answer.status_code == 200:
        job_id = answer.json()["id"]
        body = body.replace(job_id.encode(), b"an id")
        await ada.post(f"{PATH}/{job_id}/cancel")  # so that not too many are in flight
    told = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, body, told


class TestQuickWay:
    async def test_answers_as_the_plain_one(self, ada: Visitor, rich: None) -> None:
        quick = await answers(ada, REQUESTS, keyed=False)
        plain = await answers(ada, REQUESTS, keyed=True)

        assert quick == plain
        assert {name: status for name, (status, _, _) in quick.items()} == {
            name: status for name, (status, _) in REQUESTS.items()
        }

    async def test_refuses_what_cannot_be_stored_as_the_plain_one(
        self, ada: Visitor, rich: None, studio: Studio
    ) -> None:
        nul = {"NUL": (400, (order(project_id="ho\0me"), AS_JSON))}

        quick, plain = await answers(ada, nul, keyed=False), await answers(ada, nul, keyed=True)

        assert quick == plain
        stored = studio.database.dialect == "sqlite"
        assert quick["NUL"][0] == (200 if stored else 400)

    async def test_refuses_a_final_before_its_preview_as_the_plain_one(
        self, ada: Visitor, rich: None, studio: Studio
    ) -> None:
        await studio.publish("painter", preview_first=True)

        quick = await answers(ada, AFTER_A_PREVIEW, keyed=False)
        plain = await answers(ada, AFTER_A_PREVIEW, keyed=True)

        assert quick == plain
        assert quick["preview first"][0] == 409

    async def test_refuses_what_is_not_covered_as_the_plain_one(self, ada: Visitor) -> None:
        for _ in range(3):
            await ada.order(FOREIGN)

        quick, plain = (
            await answers(ada, TOO_DEAR, keyed=False),
            await answers(ada, TOO_DEAR, keyed=True),
        )

        assert quick == plain
        assert quick["not covered"][0] == 402
