"""Pictures on their way out: to whoever holds a signed address, and to nobody else."""

from datetime import timedelta
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor
from tests.doors.support import Hands
from tests.support.pixels import PHOTO
from tests.support.studio import Studio

INVALID = (403, {"detail": "invalid_signature"})
HOUR = timedelta(hours=1)
ESCAPES = [
    "../encryption.key",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "..%252f..%252fetc%252fpasswd",
    "..%5c..%5cwindows",
    "uploads/%00.jpg",
    "uploads/a%00.jpg",
    "/etc/passwd",
    "//etc/passwd",
    "C:%5cboot.ini",
    "．．/etc/passwd",
    "uploads/" + "a" * 4000 + ".jpg",
    "",
]


@pytest.fixture
async def nobody(visit: Visit) -> Visitor:
    return await visit("")


async def served(nobody: Visitor, url: str) -> tuple[int, object]:
    answer = await nobody.get(url)
    return answer.status_code, answer.content if answer.is_success else answer.json()


class TestPictureFile:
    async def test_is_served_to_whoever_has_its_address(
        self, ada: Visitor, nobody: Visitor
    ) -> None:
        answer = await nobody.get(await ada.image_url())

        assert answer.status_code == 200
        assert answer.content.startswith(b"\xff\xd8\xff")
        shown = (
            "content-type",
            "cache-control",
            "x-content-type-options",
            "content-security-policy",
        )
        assert [answer.headers[name] for name in shown] == [
            "image/jpeg",
            "private, max-age=3600",
            "nosniff",
            "sandbox; default-src 'none'",
        ]
        assert answer.headers["content-disposition"].startswith('inline; filename="')

    async def test_lasts_for_an_hour(self, ada: Visitor, nobody: Visitor, clock: Hands) -> None:
        url = await ada.image_url()
        clock.advance(HOUR - timedelta(seconds=1))
        assert (await nobody.get(url)).status_code == 200

        clock.advance(timedelta(seconds=1))

        assert await served(nobody, url) == (403, {"detail": "signature_expired"})

    async def test_is_served_under_its_own_signature_alone(
        self, ada: Visitor, bob: Visitor, nobody: Visitor
    ) -> None:
        own, others, foreign = (
            await ada.image_url(),
            await ada.image_url(),
            await bob.image_url(),
        )
        path, query = urlsplit(own).path, urlsplit(own).query

        for borrowed in (others, foreign):
            assert await served(nobody, f"{path}?{urlsplit(borrowed).query}") == INVALID
        assert await served(ada, path) == INVALID  # a token opens no file
        assert await served(nobody, f"{path}?{query}&expires=9999999999") == INVALID
        assert await served(nobody, f"{path}?{query.replace('inline', 'attachment')}") == INVALID

    async def test_is_refused_for_every_changed_character(
        self, ada: Visitor, nobody: Visitor
    ) -> None:
        url = await ada.image_url()
        start = len(url) - len(urlsplit(url).query)

        for at in range(start, len(url), 3):
            changed = url[:at] + ("A" if url[at] != "A" else "B") + url[at + 1 :]
            assert (await nobody.get(changed)).status_code == 403, changed

    async def test_that_never_was_is_answered_like_a_wrong_signature(
        self, ada: Visitor, nobody: Visitor
    ) -> None:
        url = await ada.image_url()

        assert await served(nobody, url.replace("/uploads/", "/results/")) == INVALID

    async def test_whose_bytes_are_gone_is_missing(
        self, ada: Visitor, nobody: Visitor, studio: Studio
    ) -> None:
        url = await ada.image_url()
        (key,) = await studio.stored_keys()
        await studio.resources.storage.delete(key)

        assert await served(nobody, url) == (404, {"detail": "file_not_found"})

    @pytest.mark.parametrize("escape", ESCAPES)
    async def test_never_lies_outside_the_store(
        self, nobody: Visitor, studio: Studio, escape: str
    ) -> None:
        answer = await nobody.get(f"/files/{escape}")

        assert answer.status_code in {403, 404}
        assert PHOTO not in answer.content

    async def test_is_read_by_get_alone(self, ada: Visitor, nobody: Visitor) -> None:
        url = await ada.image_url()

        for method in ("HEAD", "PUT", "DELETE"):
            assert (await nobody.client.request(method, url)).status_code == 405


class TestAnyPath:
    @settings(
        max_examples=150,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(path=st.text(max_size=60))
    async def test_is_refused_without_a_fault(self, nobody: Visitor, path: str) -> None:
        answer = await nobody.get(
            "/files/uploads/" + quote(path.encode("utf-8", "replace"), safe="")
        )

        assert answer.status_code in {403, 404}
