"""Where painted walls end, on a wall of one colour drawn by the tests."""

import numpy as np
from numpy.typing import NDArray

from medici.adapters.providers.local.restyle.gate import flat_share, tints_apart, trust
from medici.adapters.providers.local.restyle.settling import settled
from medici.adapters.providers.local.restyle.surfaces import SURE
from medici.adapters.providers.local.restyle.view import View

Flags = NDArray[np.bool_]

NOTHING = np.zeros((300, 400), np.bool_)


def area(top: int, left: int, bottom: int, right: int) -> Flags:
    flags = NOTHING.copy()
    flags[top:bottom, left:right] = True
    return flags


WALL = area(40, 0, 240, 400)
PICTURE = area(100, 150, 130, 190)


def room(left: str = "b4b2ae", right: str = "b4b2ae") -> View:
    """Return a view of a wall in two halves between a white ceiling and a brown floor."""
    pixels = np.zeros((300, 400, 3), np.uint8)
    pixels[:40] = (240, 239, 236)
    pixels[40:240, :200] = tuple(bytes.fromhex(left))
    pixels[40:240, 200:] = tuple(bytes.fromhex(right))
    pixels[240:] = (138, 106, 76)
    return View.of(pixels)


def framed() -> View:
    """Return a wall with a frame around a piece of its own colour."""
    pixels = np.full((300, 400, 3), 180, np.uint8)
    pixels[96:134, 146:194] = 60
    pixels[100:130, 150:190] = 180
    return View.of(pixels)


class TestSettling:
    async def test_fills_what_no_outline_parts_from_the_wall(self) -> None:
        bitten = WALL & ~area(40, 300, 100, 330)

        (wall,) = settled([bitten], room(), NOTHING)

        assert (wall & WALL).sum() / (wall | WALL).sum() > 0.98

    async def test_does_not_cross_an_outline(self) -> None:
        (wall,) = settled([area(60, 0, 220, 400)], room(), NOTHING)

        assert not wall[:39].any()
        assert not wall[241:].any()

    async def test_does_not_enter_what_is_barred(self) -> None:
        barred = area(0, 300, 300, 400)

        (wall,) = settled([area(60, 0, 220, 290)], room(), barred)

        assert not (wall & barred).any()

    async def test_lets_go_of_a_thing_in_the_colour_of_the_wall(self) -> None:
        (wall,) = settled([~NOTHING], framed(), NOTHING)

        assert not (wall & PICTURE).any()

    async def test_gives_what_has_grown_together_to_one_wall(self) -> None:
        halves = [area(60, 0, 220, 150), area(60, 160, 220, 400)]

        assert len(settled(halves, room(), NOTHING)) == 1

    async def test_keeps_walls_that_an_outline_parts(self) -> None:
        halves = [area(60, 0, 220, 190), area(60, 210, 220, 400)]

        assert len(settled(halves, room("c8b4a0", "90a0b4"), NOTHING)) == 2


class TestGate:
    async def test_trusts_a_wall_that_ends_on_outlines(self) -> None:
        assert trust([WALL], room()) > SURE

    async def test_doubts_a_wall_that_ends_on_a_flat_area(self) -> None:
        cut = area(40, 0, 240, 250)

        assert flat_share(cut, room()) > 0.15
        assert trust([cut], room()) < SURE

    async def test_doubts_walls_of_tints_that_one_paint_cannot_meet(self) -> None:
        view = room("c8b4a0", "90a0b4")
        halves = [area(40, 0, 240, 200), area(40, 200, 240, 400)]

        assert tints_apart(halves, view) > 8
        assert trust(halves, view) < SURE

    async def test_takes_no_walls_for_no_doubt(self) -> None:
        assert (flat_share(NOTHING, room()), tints_apart([], room())) == (0.0, 0.0)
