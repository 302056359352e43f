"""Renders from the shell go the whole way that a customer's go."""

import asyncio
from pathlib import Path

import pytest
from PIL import Image

from medici.domain.identity.service import disable_user, ensure_user
from medici.kernel.clock import system_clock
from tests.cli.conftest import Shell
from tests.cli.looks import picture_size, rows
from tests.support.databases import opened

INVENTORY = "2 plans, 9 styles, provider settings version 1"
KITCHEN = Path(__file__).parents[1] / "data" / "rooms" / "kitchen-1.jpg"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A small photo, because a small one is soon rendered."""
    path = tmp_path / "kitchen.jpg"
    with Image.open(KITCHEN) as kitchen:
        kitchen.resize((480, 360)).save(path)
    return path


async def shut_out(database_url: str, user_id: str) -> None:
    async with opened(database_url) as database, database.transaction() as session:
        await ensure_user(session, user_id=user_id, now=system_clock())
        await disable_user(session, user_id=user_id, now=system_clock())


class TestRender:
    def test_delivers_a_picture_and_charges_for_it(self, shell: Shell, photo: Path) -> None:
        out = shell.directory / "new" / "picture.jpg"
        told = shell.done("render", photo, "--style", "industrial", "--user", "ada", "--out", out)

        assert told[0].startswith("✓ industrial preview by local (local/restyle), ")
        assert told[-2:] == ["  credits 3 → 2", f"  {out}"]
        assert picture_size(out) == (480, 360)
        assert rows(shell, "SELECT user_id, state, tier, credits FROM render_jobs") == [
            ("ada", "succeeded", "preview", 1)
        ]
        assert rows(shell, "SELECT owner_id, available, held FROM credit_wallets") == [
            ("ada", 2, 0)
        ]

    def test_names_the_picture_after_photo_and_style(self, shell: Shell, photo: Path) -> None:
        told = shell.done("render", photo, "--prompt", "olive walls")

        assert told[-1] == f"  {shell.directory}/kitchen-japandi.jpg"

    def test_says_why_it_is_refused(self, shell: Shell, photo: Path) -> None:
        words = shell.refused("render", photo, "--tier", "final")

        assert words == (
            "medici: render a preview of this project in this style first "
            "(preview_required_before_final)"
        )
        assert rows(shell, "SELECT count(*) FROM render_jobs") == [(0,)]

    def test_takes_no_file_that_is_no_picture(self, shell: Shell) -> None:
        words = shell.refused("render", __file__)

        assert words.endswith("(unsupported_image)")

    def test_lets_a_disabled_user_order_nothing(self, shell: Shell, photo: Path) -> None:
        shell.done("seed")
        asyncio.run(shut_out(shell.database_url, "eve"))

        assert shell.refused("render", photo, "--user", "eve").endswith("(user_disabled)")


class TestDemo:
    def test_renders_the_sample_photo(self, shell: Shell) -> None:
        told = shell.done("demo", "--style", "rustic")

        path = shell.directory / "data" / "demo" / "bedroom-rustic.jpg"
        assert told[-2:] == ["  credits 20 → 19", f"  {path}"]
        assert picture_size(path) > (500, 300)

    def test_is_for_development(self, shell: Shell) -> None:
        assert shell.refused("demo", APP_ENV="production").endswith("(development_only)")


class TestSeed:
    def test_fills_in_what_is_missing_and_nothing_twice(self, shell: Shell) -> None:
        first, second = shell.done("seed"), shell.done("seed")

        assert first == second == [INVENTORY]

    def test_renders_for_the_demo_user_once(self, shell: Shell) -> None:
        first, second = shell.done("seed", "demo"), shell.done("seed", "demo")

        assert first == second == [INVENTORY, "user demo: 3 renders of project demo-bedroom"]
        assert rows(
            shell,
            "SELECT style_id, tier, state FROM render_jobs WHERE user_id = 'demo' ORDER BY id",
        ) == [
            ("scandinavian", "preview", "succeeded"),
            ("industrial", "preview", "succeeded"),
            ("scandinavian", "final", "succeeded"),
        ]
        assert shell.done("audit")[-1] == "every invariant holds"
