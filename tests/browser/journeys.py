"""What a visitor of the try-it page does, and what there is to see then."""

from pathlib import Path
from urllib.parse import urljoin

from playwright.async_api import Page, expect

import medici

PHOTO = Path(medici.__file__).with_name("demo") / "bedroom.jpg"


async def take_sample(page: Page, style: str = "japandi") -> None:
    await page.click("#sample")
    await expect(page.locator("#before")).to_be_visible()
    await page.check(f"[name=style][value={style}]")


async def render_sample(page: Page, style: str = "japandi") -> None:
    await take_sample(page, style)
    await page.click("#restyle")
    await expect(page.locator("#split")).to_be_visible()


async def pixels(page: Page, image: str) -> dict[str, object]:
    """Return an image's natural size and its pixels, made small enough to compare."""
    found: dict[str, object] = await page.evaluate(
        """(id) => {
            const image = document.getElementById(id);
            const canvas = new OffscreenCanvas(32, 24);
            const brush = canvas.getContext("2d");
            brush.drawImage(image, 0, 0, 32, 24);
            const data = Array.from(brush.getImageData(0, 0, 32, 24).data);
            return { width: image.naturalWidth, height: image.naturalHeight, data };
        }""",
        image,
    )
    return found


async def credits_shown(page: Page) -> str:
    return " ".join((await page.inner_text("#credits")).split())


async def jobs_of(page: Page) -> list[dict[str, object]]:
    """Return the visitor's render jobs as the API lists them."""
    token = await page.evaluate("localStorage.getItem('medici.token')")
    answer = await page.request.get(
        urljoin(page.url, "/v1/ai/render-jobs"), headers={"Authorization": f"Bearer {token}"}
    )
    jobs: list[dict[str, object]] = (await answer.json())["jobs"]
    return jobs
