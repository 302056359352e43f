"""The engine on photographs and visualisations of rooms, held against masks drawn by hand."""

import io
import itertools
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from medici.adapters.providers.local.restyle.codec import decode
from medici.adapters.providers.local.restyle.colour import Bytes, Floats, to_lab
from medici.adapters.providers.local.restyle.engine import RestyleOrder, restyle, wall_mask
from medici.adapters.providers.local.restyle.lexicon import read
from medici.adapters.providers.local.restyle.rendering import Made, Parts, Scene, render
from medici.adapters.providers.local.restyle.styles import STYLES
from medici.adapters.providers.local.restyle.survey import shrunk, survey
from tests.adapters.local.room_truth import ROOMS, TRUTHS

Flags = NDArray[np.bool_]

PAINTED = ("bedroom-1", "living-room-2", "living-room-3")
WITH_PANES = ("bedroom-1", "kitchen-1", "living-room-1", "living-room-2")
DAY = tuple(style for style in STYLES if style != "evening")


@cache
def photo(name: str) -> bytes:
    """Return a room at 640 pixels, which keeps the suite quick."""
    picture = Image.open(ROOMS / f"{name}.jpg").convert("RGB")
    picture.thumbnail((640, 640))
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=92)
    return target.getvalue()


@cache
def scene(name: str) -> tuple[Bytes, Scene]:
    """Return a room and its survey, which takes longest and is the same for every style."""
    picture = decode(photo(name), 640 * 640)
    return picture, Scene(room=survey(picture), small=shrunk(picture), hint=None)


@cache
def restyled(name: str, style: str) -> Made:
    picture, seen = scene(name)
    return render(picture, seen, read(style, "", 0), Parts.of(()), lambda _share: None)


@cache
def walls(name: str) -> Flags:
    return wall_mask(photo(name))


def distance(one: Bytes, other: Bytes) -> Floats:
    """Return CIE 1976 colour differences, pixel by pixel."""
    return np.asarray(np.linalg.norm(to_lab(one) - to_lab(other), axis=2), dtype=np.float32)


def newly_clipped(before: Bytes, after: Bytes) -> float:
    """Return the share of pixels pushed to the end of a channel from well inside it."""
    burnt = (after == 255) & (before < 251)
    drowned = (after == 0) & (before > 4)
    return float((burnt | drowned).any(axis=2).mean())


def edges(picture: Bytes) -> NDArray[np.float64]:
    down, across = np.gradient(to_lab(picture)[..., 0])
    return np.asarray(np.hypot(down, across).ravel(), dtype=np.float64)


class TestWalls:
    @pytest.mark.parametrize("name", PAINTED)
    async def test_are_found_where_a_person_sees_them(self, name: str) -> None:
        found = walls(name)
        drawn = TRUTHS[name].wall_mask(*found.shape)

        assert (found & drawn).sum() / (found | drawn).sum() >= 0.7

    @pytest.mark.parametrize("name", ["living-room-1", "garden-1"])
    async def test_are_not_guessed_where_there_are_none(self, name: str) -> None:
        assert not walls(name).any()

    async def test_are_left_alone_in_light_of_several_colours(self) -> None:
        _, seen = scene("kitchen-1")

        assert seen.room.walls
        assert not seen.room.sure
        assert restyled("kitchen-1", "bohemian").painted == ()

    @pytest.mark.parametrize("side", [480, 560, 800])
    async def test_do_not_depend_on_the_size_of_the_picture(self, side: int) -> None:
        picture = Image.open(ROOMS / "bedroom-1.jpg")
        picture.thumbnail((side, side))
        target = io.BytesIO()
        picture.save(target, "PNG")

        found = wall_mask(target.getvalue())

        drawn = TRUTHS["bedroom-1"].wall_mask(*found.shape)
        assert (found & drawn).sum() / (found | drawn).sum() >= 0.7


class TestPaint:
    @pytest.mark.parametrize("name", PAINTED)
    async def test_shows_every_style_as_a_colour_of_its_own(self, name: str) -> None:
        inside = walls(name) & TRUTHS[name].wall_mask(*walls(name).shape)
        walls_in = {style: to_lab(restyled(name, style).pixels)[inside] for style in DAY}

        for one, other in itertools.combinations(DAY, 2):
            apart = np.linalg.norm(walls_in[one] - walls_in[other], axis=1)
            assert np.median(apart) >= 8, (one, other)

    @pytest.mark.parametrize("name", PAINTED)
    async def test_is_told_of(self, name: str) -> None:
        assert "wall" in restyled(name, "japandi").painted

    async def test_reaches_the_floor_of_the_bedroom(self) -> None:
        assert restyled("bedroom-1", "rustic").painted == ("wall", "floor")

    async def test_leaves_a_ceiling_to_the_mood(self) -> None:
        picture, _ = scene("bedroom-1")
        change = np.abs(to_lab(restyled("bedroom-1", "bohemian").pixels) - to_lab(picture))
        hue = change[..., 1:].max(axis=2)

        assert np.median(hue[5:60, 60:240]) < 6
        assert np.median(hue[walls("bedroom-1")]) > 10


class TestPicture:
    @pytest.mark.parametrize("style", ["modern", "bohemian", "rustic", "vintage"])
    @pytest.mark.parametrize("name", [*PAINTED, "kitchen-1"])
    async def test_loses_nothing_to_clipping(self, name: str, style: str) -> None:
        share = newly_clipped(scene(name)[0], restyled(name, style).pixels)

        assert share < 0.01

    @pytest.mark.parametrize("style", ["bohemian", "scandinavian", "christmas"])
    @pytest.mark.parametrize("name", WITH_PANES)
    async def test_keeps_the_day_in_its_windows(self, name: str, style: str) -> None:
        apart = distance(scene(name)[0], restyled(name, style).pixels)

        assert np.median(apart[TRUTHS[name].pane_mask(*apart.shape)]) < 3

    @pytest.mark.parametrize("style", ["minimalistic", "industrial", "christmas"])
    @pytest.mark.parametrize("name", [*PAINTED, "kitchen-1"])
    async def test_keeps_its_edges(self, name: str, style: str) -> None:
        likeness = np.corrcoef(edges(scene(name)[0]), edges(restyled(name, style).pixels))[0, 1]

        assert likeness >= 0.9

    async def test_of_a_garden_is_only_graded(self) -> None:
        garden = restyle(photo("garden-1"), RestyleOrder(style="bohemian"))

        assert garden.painted == ()
        assert "No wall was recognised in this picture." in garden.notes
        assert "Only light, contrast and colour mood were changed." in garden.notes

    async def test_turns_windows_blue_in_the_evening(self) -> None:
        evening = to_lab(restyled("living-room-2", "evening").pixels)
        panes = TRUTHS["living-room-2"].pane_mask(*evening.shape[:2])

        lightness, _, yellow = np.median(evening[panes], axis=0)

        assert lightness < 60
        assert yellow < -20
