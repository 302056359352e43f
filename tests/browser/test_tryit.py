"""The try-it page in a real browser: from a photo to the comparison."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from tests.browser.conftest import Open
from tests.browser.journeys import (
    PHOTO,
    credits_shown,
    jobs_of,
    pixels,
    render_sample,
    take_sample,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1440, "height": 900}}
PREVIEW = (1032, 774)  # of the sample's 4:3, as many pixels as a preview may have
FINAL = (1264, 948)  # as many as the settings allow by default


class TestRender:
    @pytest.mark.parametrize("theme", ["light", "dark"])
    async def test_leads_from_the_sample_to_a_comparison(
        self, server: str, open_page: Open, screenshots: Path, theme: str
    ) -> None:
        page = await open_page(server, color_scheme=theme, **DESKTOP)
        await expect(page.locator("#credits")).to_have_text("3 credits", use_inner_text=True)
        await page.screenshot(path=screenshots / f"{theme}-before.png", full_page=True)

        await render_sample(page)

        before, after = await pixels(page, "before"), await pixels(page, "after")
        assert (after["width"], after["height"]) == PREVIEW
        assert before["data"] != after["data"]
        await expect(page.locator("#caption")).to_have_text("Japandi, preview")
        await expect(page.locator("#credits")).to_have_text("2 credits", use_inner_text=True)
        await expect(page.locator("#notes-list li").last).to_contain_text("invents nothing")
        await expect(page.locator("#pictures button")).to_have_count(1)
        await page.screenshot(path=screenshots / f"{theme}-after.png", full_page=True)

    async def test_fits_a_phone(self, server: str, open_page: Open, screenshots: Path) -> None:
        page = await open_page(server, **PHONE)
        await page.screenshot(path=screenshots / "phone-before.png", full_page=True)

        await render_sample(page)

        assert await page.evaluate("document.documentElement.scrollWidth") == 390
        await page.screenshot(path=screenshots / "phone-after.png", full_page=True)

    async def test_takes_a_photo_of_ones_own(self, server: str, open_page: Open) -> None:
        page = await open_page(server)
        await page.set_input_files("#file", PHOTO)
        await page.click("#restyle")

        await expect(page.locator("#split")).to_be_visible()

    async def test_is_followed_by_its_stream_alone(self, server: str, open_page: Open) -> None:
        page = await open_page(server)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))

        await render_sample(page)

        about = [each for each in asked if each.startswith("GET") and "/render-jobs/" in each]
        assert len(about) == 1
        assert about[0].endswith("/events")

    async def test_is_asked_for_where_the_stream_is_cut(
        self, server: str, open_page: Open, expected: set[str]
    ) -> None:
        page = await open_page(server)
        expected.add("ERR_FAILED")
        await page.route("**/events", lambda route: route.abort())

        await render_sample(page)

        await expect(page.locator("#problem")).to_be_hidden()

    async def test_goes_on_to_a_final_picture(self, server: str, open_page: Open) -> None:
        page = await open_page(server)
        await render_sample(page)

        await page.get_by_role("button", name="Final picture for 2 credits").click()

        await expect(page.locator("#caption")).to_have_text("Japandi, final")
        await expect(page.locator("#split")).to_be_visible()
        await expect(page.locator("#credits")).to_have_text("0 credits", use_inner_text=True)
        await expect(page.locator("#pictures button")).to_have_count(2)
        assert (await pixels(page, "after"))["width"] == FINAL[0]


class TestComparison:
    async def test_moves_by_keyboard(self, server: str, open_page: Open) -> None:
        page = await open_page(server)
        await render_sample(page)
        split = page.get_by_role("slider", name="Compare before and after")
        await split.focus()

        for _ in range(5):
            await page.keyboard.press("ArrowRight")

        await expect(split).to_have_value("55")
        await expect(split).to_have_attribute("aria-valuetext", "55 % before, 45 % after")
        shown = await page.evaluate("getComputedStyle(document.getElementById('after')).clipPath")
        assert shown == "inset(0px 0px 0px 55%)"

    async def test_moves_by_pointer(self, server: str, open_page: Open) -> None:
        page = await open_page(server, **DESKTOP)
        await render_sample(page)
        box = await page.locator("#compare").bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2

        await page.mouse.move(box["x"] + box["width"] / 2, middle)
        await page.mouse.down()
        await page.mouse.move(box["x"] + box["width"] / 5, middle)
        await page.mouse.up()

        await expect(page.locator("#split")).to_have_value("20")


class TestProgress:
    async def test_shows_credits_in_progress_and_gives_them_back(
        self, idle_server: str, open_page: Open
    ) -> None:
        page = await open_page(idle_server)
        await take_sample(page)

        await page.click("#restyle")
        await expect(page.locator("#state")).to_have_text("Waiting its turn")
        await expect(page.locator("#held")).to_have_text("1 in progress")
        assert await credits_shown(page) == "2 credits 1 in progress"

        await page.get_by_role("button", name="Cancel").click()
        await expect(page.locator("#working")).to_be_hidden()
        await expect(page.locator("#held")).to_be_hidden()
        assert await credits_shown(page) == "3 credits"
        await expect(page.locator("#news")).to_have_text("Canceled. Nothing was charged.")

    async def test_can_be_cut_off_while_the_photo_is_sent(
        self, idle_server: str, open_page: Open
    ) -> None:
        page = await open_page(idle_server)
        await page.route("**/v1/uploads", _never)
        await take_sample(page)

        await page.click("#restyle")
        await expect(page.locator("#state")).to_have_text("Sending your photo")
        await page.get_by_role("button", name="Cancel").click()

        await expect(page.locator("#working")).to_be_hidden()
        await expect(page.locator("#problem")).to_be_hidden()
        await expect(page.locator("#restyle")).to_have_attribute("aria-disabled", "false")

    async def test_is_undone_where_the_order_was_being_placed(
        self, idle_server: str, open_page: Open
    ) -> None:
        page = await open_page(idle_server)
        canceled = asyncio.Event()

        async def wait_for_the_cancel(route: Route) -> None:
            await canceled.wait()
            await route.continue_()

        await page.route("**/v1/ai/render-jobs", wait_for_the_cancel)
        await take_sample(page)

        await page.click("#restyle")
        await expect(page.locator("#state")).to_have_text("Placing the order")
        await page.get_by_role("button", name="Cancel").click()
        canceled.set()

        await expect(page.locator("#working")).to_be_hidden()
        await expect(page.locator("#news")).to_have_text("Canceled. Nothing was charged.")
        await expect(page.locator("#credits")).to_have_text("3 credits", use_inner_text=True)
        [job] = await jobs_of(page)
        assert job["status"] == "canceled"


async def _never(_route: Route) -> None:
    """Leave a request without an answer."""
