"""A browser that fails a test for whatever it complains of, and servers for it to visit."""

import os
import shutil
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright, expect

from tests.browser.serving import served

Open: TypeAlias = Callable[..., Awaitable[Page]]

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOCAL = ("data", "blob")

# A render is seconds of work, and more on a machine that is busy with others.
expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def chromium() -> str:
    found = os.environ.get("MEDICI_TEST_CHROMIUM") or next(
        filter(None, map(shutil.which, NAMES)), ""
    )
    if not found and os.environ.get("CI") == "1":
        pytest.fail("no chromium here; install it or name it in MEDICI_TEST_CHROMIUM")
    if not found:
        pytest.skip("no chromium here; install it or name it in MEDICI_TEST_CHROMIUM")
    return found


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server as a developer starts it."""
    with served(tmp_path_factory.mktemp("server")) as base:
        yield base


@pytest.fixture(scope="session")
def idle_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that takes orders but has no worker to carry them out."""
    with served(tmp_path_factory.mktemp("idle"), MEDICI_RUNNER="external") as base:
        yield base


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server in production whose operator opens the page."""
    settings = {
        "APP_ENV": "production",
        "MEDICI_TRY_IT": "true",
        "ENCRYPTION_KEYS": b64encode(bytes(32)).decode(),
        "ALLOW_DEV_LOGIN": "true",  # as if it were the operator's own way of signing in
    }
    with served(tmp_path_factory.mktemp("live"), **settings) as base:
        yield base


# One browser, hence one event loop, serves the whole run; each page has a profile of its own.
@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield browser
        await browser.close()


@pytest.fixture
def expected() -> set[str]:
    """Parts of complaints that a test brings about on purpose."""
    return set()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, expected: set[str]) -> AsyncIterator[Open]:
    """Open pages; any complaint, unexpected dialog or call to another host fails the test."""
    complaints: list[str] = []

    async with AsyncExitStack() as stack:

        async def opened(url: str, **context: Any) -> Page:
            fresh = await browser.new_context(**context)
            stack.push_async_callback(fresh.close)
            page = await fresh.new_page()
            watch(page, urlsplit(url).netloc, complaints)
            await page.goto(url)
            return page

        yield opened
    assert [each for each in complaints if not any(part in each for part in expected)] == []


def watch(page: Page, host: str, complaints: list[str]) -> None:
    """Note what a browser complains of; a violated policy is an error on its console."""

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.type}: {message.text}")

    def on_request(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.netloc != host and parts.scheme not in LOCAL:
            complaints.append(f"foreign request: {request.url}")

    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    page.on("console", on_console)
    page.on("request", on_request)


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """Where pictures of the page go: the named directory, else one that is thrown away."""
    return Path(os.environ.get("MEDICI_TEST_SCREENSHOTS") or tmp_path)
