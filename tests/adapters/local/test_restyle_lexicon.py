"""How words become a look."""

import pytest

from medici.adapters.providers.local.restyle.lexicon import read
from medici.adapters.providers.local.restyle.styles import STYLES
from medici.adapters.providers.local.restyle.words import COLOURS, FLOORS


class TestStyle:
    @pytest.mark.parametrize("style", STYLES)
    async def test_is_known_by_its_id(self, style: str) -> None:
        look = read(style, "", 0)

        assert look.style is STYLES[style]
        assert look.notes == ()

    @pytest.mark.parametrize(
        ("said", "meant"),
        [("Nordic", "scandinavian"), ("boho", "bohemian"), ("warm rustic cabin", "rustic")],
    )
    async def test_is_known_by_other_names(self, said: str, meant: str) -> None:
        assert read(said, "", 0).style is STYLES[meant]

    async def test_that_is_misspelt_is_said_to_be_the_closest(self) -> None:
        look = read("industrail", "", 0)

        assert look.style is STYLES["industrial"]
        assert look.notes == ("The style “industrail” is not known here; Industrial came closest.",)

    async def test_that_nobody_knows_becomes_a_neutral_mood(self) -> None:
        look = read("qqqq", "", 0)

        assert (look.style.name, look.wall) == ("Neutral", None)
        assert look.notes == ("The style “qqqq” is not known here; a neutral mood was used.",)

    async def test_offers_another_wall_for_another_seed(self) -> None:
        walls = [read("japandi", "", seed).wall for seed in (0, 1, 2)]

        assert walls == ["#9da374", "#a9a58a", "#9da374"]


class TestWords:
    async def test_give_each_place_its_colour(self) -> None:
        look = read("modern", "sage green walls, walnut floor and mustard cushions", 0)

        assert look.wall == COLOURS["sage"]
        assert look.floor == FLOORS["walnut"]
        assert look.fabric == COLOURS["mustard"]
        assert look.unknown == ()

    async def test_put_a_lone_colour_on_the_walls_and_lone_wood_on_the_floor(self) -> None:
        assert read("modern", "lavender", 0).wall == COLOURS["lavender"]
        assert read("modern", "oak", 0).floor == FLOORS["oak"]

    async def test_shade_the_colour_that_follows(self) -> None:
        assert read("modern", "dark blue walls", 0).wall == "#39506e"
        assert read("modern", "pale blue walls", 0).wall == "#9bb3d3"

    async def test_change_the_light_where_no_colour_follows(self) -> None:
        plain, darker = read("japandi", "", 0), read("japandi", "darker", 0)

        assert darker.grade.exposure == pytest.approx(plain.grade.exposure - 0.45)
        assert darker.wall == plain.wall

    async def test_bring_the_evening(self) -> None:
        assert read("rustic", "warm evening", 0).grade.dusk

    async def test_that_mean_nothing_are_kept_once_each(self) -> None:
        look = read("modern", "Please add a unicorn, a blue unicorn and frobs", 0)

        assert look.unknown == ("add", "unicorn", "frobs")

    async def test_never_drive_the_light_too_far(self) -> None:
        assert read("industrial", "darker darker dark moody darker", 0).grade.exposure == -1.3
