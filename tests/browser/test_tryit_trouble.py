"""The try-it page in a real browser: when something goes wrong, and who is visiting."""

import httpx
import pytest
from playwright.async_api import Route, expect

from tests.browser.conftest import Open
from tests.browser.journeys import take_sample

pytestmark = pytest.mark.asyncio(loop_scope="session")


class TestProblems:
    async def test_offer_the_preview_that_a_final_needs(
        self, server: str, open_page: Open, expected: set[str]
    ) -> None:
        page = await open_page(server)
        expected.add("status of 409")
        await take_sample(page)
        await page.check("[name=tier][value=final]")

        await page.click("#restyle")
        await expect(page.locator("#problem-title")).to_have_text("A preview comes first.")
        await expect(page.locator("#problem-id")).to_contain_text("Request ")
        await page.get_by_role("button", name="Render the preview first").click()

        await expect(page.locator("#caption")).to_have_text("Japandi, preview")
        await expect(page.locator("#split")).to_be_visible()

    async def test_let_a_demo_visitor_begin_again_without_credits(
        self, idle_server: str, open_page: Open, expected: set[str]
    ) -> None:
        page = await open_page(idle_server)
        expected.add("status of 402")
        await page.route("**/v1/ai/render-jobs", _no_credits)
        await take_sample(page)
        first = await page.evaluate("localStorage.getItem('medici.user')")

        await page.click("#restyle")
        await expect(page.locator("#problem-title")).to_have_text("Not enough credits.")
        await page.unroute("**/v1/ai/render-jobs")
        await page.get_by_role("button", name="Go on as a new visitor").click()

        await expect(page.locator("#held")).to_have_text("1 in progress")
        assert await page.evaluate("localStorage.getItem('medici.user')") != first

    async def test_say_which_files_are_taken(self, server: str, open_page: Open) -> None:
        page = await open_page(server)

        await page.set_input_files(
            "#file", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no photo"}
        )

        await expect(page.locator("#problem-text")).to_have_text("Use a JPEG, PNG or WEBP photo.")
        await expect(page.get_by_role("button", name="Choose another photo")).to_be_visible()

    async def test_tell_a_damaged_photo_before_it_is_sent(
        self, server: str, open_page: Open
    ) -> None:
        page = await open_page(server)

        await page.set_input_files(
            "#file", {"name": "cut.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff"}
        )

        await expect(page.locator("#problem-title")).to_have_text("This photo cannot be read.")

    async def test_repeat_an_order_under_its_key_after_a_lost_answer(
        self, server: str, open_page: Open, expected: set[str]
    ) -> None:
        page = await open_page(server)
        expected.add("ERR_FAILED")
        keys: list[str] = []

        async def lose_the_first_answer(route: Route) -> None:
            keys.append(route.request.headers["idempotency-key"])
            if len(keys) > 1:
                return await route.continue_()
            await route.fetch()
            return await route.abort()

        await page.route("**/v1/ai/render-jobs", lose_the_first_answer)
        await take_sample(page)

        await page.click("#restyle")
        await expect(page.locator("#problem-title")).to_have_text("The server does not answer.")
        await page.get_by_role("button", name="Try again").click()
        await expect(page.locator("#split")).to_be_visible()

        assert len(keys) == 2
        assert len(set(keys)) == 1
        await expect(page.locator("#credits")).to_have_text("2 credits", use_inner_text=True)


class TestVisitor:
    async def test_is_recognised_again(self, server: str, open_page: Open) -> None:
        page = await open_page(server)
        await expect(page.locator("#credits")).to_be_visible()
        first = await page.evaluate("localStorage.getItem('medici.token')")

        await page.reload()
        await expect(page.locator("#credits")).to_be_visible()

        assert await page.evaluate("localStorage.getItem('medici.token')") == first

    async def test_gets_a_new_token_for_an_outworn_one(
        self, server: str, open_page: Open, expected: set[str]
    ) -> None:
        page = await open_page(server)
        expected.add("status of 401")
        await expect(page.locator("#credits")).to_be_visible()
        user = await page.evaluate("localStorage.getItem('medici.user')")
        await page.evaluate("localStorage.setItem('medici.token', 'tok_outworn')")

        await page.reload()

        await expect(page.locator("#credits")).to_have_text("3 credits", use_inner_text=True)
        assert await page.evaluate("localStorage.getItem('medici.user')") == user

    async def test_brings_a_token_in_production(
        self, live_server: str, open_page: Open, expected: set[str]
    ) -> None:
        page = await open_page(live_server)
        expected.add("status of 401")
        async with httpx.AsyncClient(base_url=live_server) as client:
            answer = await client.post("/v1/auth/login-dev", json={"user_id": "ada"})
        field = page.get_by_label("Access token")
        await expect(page.locator("#credits")).to_be_hidden()

        await field.fill("wrong")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.locator("#problem-title")).to_have_text("You are signed out.")
        await field.fill(answer.json()["access_token"])
        await page.keyboard.press("Enter")

        await expect(page.locator("#signed-in")).to_contain_text("Signed in as ada")
        await expect(page.locator("#credits")).to_have_text("3 credits", use_inner_text=True)
        assert await page.evaluate("localStorage.getItem('medici.token')") is None

    async def test_chooses_a_theme_that_stays(self, server: str, open_page: Open) -> None:
        page = await open_page(server, color_scheme="light")
        background = "getComputedStyle(document.body).backgroundColor"
        assert await page.evaluate(background) == "rgb(247, 247, 248)"

        await page.get_by_role("button", name="Dark theme").click()
        assert await page.evaluate(background) == "rgb(14, 15, 18)"
        await page.reload()

        assert await page.evaluate(background) == "rgb(14, 15, 18)"
        await expect(page.get_by_role("button", name="Dark theme", pressed=True)).to_be_visible()


async def _no_credits(route: Route) -> None:
    await route.fulfill(status=402, json={"detail": "insufficient_credits"})
