"""Puts the patches of walls together, however many edges cut them apart."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from medici.adapters.providers.local.restyle.colour import Flags
from medici.adapters.providers.local.restyle.patches import Patch, chroma, hue_distance
from medici.adapters.providers.local.restyle.regions import CHROMA_WEIGHT
from medici.adapters.providers.local.restyle.view import View, union

LONE_AREA: Final = 0.012  # share of the picture from which a wall patch needs no neighbour
SHARP: Final = 5.0  # change of colour, in Lab units, that parts two surfaces
FAINT: Final = 3.5  # a smaller change of colour is light, not another surface
STRONG: Final = 12.0  # chroma from which a colour is no tint of the light
SAME_HUE: Final = 7.0  # Lab units
SAME_LIGHT: Final = 20.0  # Lab units in L


def wall_groups(
    patches: Sequence[Patch], ceiling: Sequence[Patch], view: View
) -> list[list[Patch]]:
    """Return the patches of each wall, walls of one colour together, largest patch first."""
    overhead = {id(patch) for patch in ceiling}
    below = [patch for patch in patches if id(patch) not in overhead]
    likely = [patch for patch in below if _may_be_wall(patch)]
    groups = _continuous([_joined(group, view) for group in by_colour(likely)], view)
    walls = [group for group in groups if group and _is_wall(group)]
    taken = {id(patch) for group in walls for patch in group}
    rest = [p for p in below if id(p) not in taken and _may_continue_wall(p)]
    for wall in walls:
        _take_in(wall, rest, view, FAINT)
    return walls


def by_colour(patches: Sequence[Patch]) -> list[list[Patch]]:
    """Group patches around the largest one of each colour."""
    heads: list[Patch] = []
    for patch in patches:
        if not any(_belongs(patch, head) for head in heads):
            heads.append(patch)
    groups: list[list[Patch]] = [[] for _ in heads]
    for patch in patches:
        near = [hue_distance(patch.colour, h.colour) if _belongs(patch, h) else 99 for h in heads]
        groups[int(np.argmin(near))].append(patch)
    return groups


def _belongs(patch: Patch, head: Patch) -> bool:
    alike = hue_distance(patch.colour, head.colour) < SAME_HUE
    return alike and abs(patch.lightness - head.lightness) < SAME_LIGHT


def _may_be_wall(patch: Patch) -> bool:
    return patch.is_even and patch.top < 0.45


def _may_continue_wall(patch: Patch) -> bool:
    return patch.is_even and patch.top < 0.62 and not patch.is_ground


def _is_wall(group: Sequence[Patch]) -> bool:
    """A wall stands; of a coloured one the part above the cupboards is enough."""
    total = sum(patch.area for patch in group)
    top, bottom = min(p.top for p in group), max(p.bottom for p in group)
    stands = bottom - top > 0.25 and bottom > 0.4
    frieze = chroma(group[0].colour) > STRONG and group[0].at_top > 0.05
    return total > 0.03 and (stands or frieze)


def _joined(group: Sequence[Patch], view: View) -> list[Patch]:
    """Keep the large patches of a group, and small ones that no sharp edge parts from them.

    Small ones behind an edge are pictures, shades and blinds that happen to have the wall's colour.
    """
    kept = [p for p in group if p.area >= LONE_AREA or _shows_colour(p, group[0])] or [group[0]]
    _take_in(kept, [patch for patch in group if patch not in kept], view, SHARP)
    return kept


def _shows_colour(patch: Patch, head: Patch) -> bool:
    """A strong colour that a large wall has is paint wherever it shows between other things."""
    strong = chroma(head.colour) > STRONG and head.area >= LONE_AREA
    return strong and patch.area > 0.003 and hue_distance(patch.colour, head.colour) < 5


def _take_in(wall: list[Patch], rest: list[Patch], view: View, least: float) -> None:
    """Move from ``rest`` to ``wall`` what no step of ``least`` parts from it, in place."""
    hung = _holes(union([patch.mask for patch in wall], view.shape))
    free = [patch for patch in rest if hung[patch.mask].mean() < 0.5]
    while near := [p for p in free if any(_step(p, other, view) < least for other in wall)]:
        wall += near
        free = [patch for patch in free if patch not in near]
    rest[:] = [patch for patch in rest if patch not in wall]


def _holes(mask: Flags) -> Flags:
    """Return what a wall surrounds on all sides, such as a picture that hangs on it."""
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - closed, connectivity=4)
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    right, bottom = left + stats[:, cv2.CC_STAT_WIDTH], top + stats[:, cv2.CC_STAT_HEIGHT]
    inside = (left > 0) & (top > 0) & (right < mask.shape[1]) & (bottom < mask.shape[0])
    inside[0] = False
    return np.asarray(inside[labels], dtype=np.bool_)


def _continuous(groups: Sequence[list[Patch]], view: View) -> list[list[Patch]]:
    """Unite groups that touch without a step: one wall whose light falls off."""
    united: list[list[Patch]] = []
    for group in groups:
        home = next((u for u in united if _meet(u, group, view)), None)
        if home is None:
            united.append(group)
        else:
            home += group
    return united


def _meet(one: Sequence[Patch], other: Sequence[Patch], view: View) -> bool:
    large = [(a, b) for a in one for b in other if min(a.area, b.area) > LONE_AREA]
    return any(_step(a, b, view) < FAINT for a, b in large)


def _step(one: Patch, other: Patch, view: View) -> float:
    """Return the edge or change of colour where two patches meet, infinite if they do not."""
    shared = one.grown & other.grown
    here, there = shared & one.mask, shared & other.mask
    if min(here.sum(), there.sum()) < 12:
        return float("inf")
    change = (view.lab[here].mean(axis=0) - view.lab[there].mean(axis=0)) * CHROMA_WEIGHT
    edge = np.median(view.near[shared])
    return max(float(np.linalg.norm(change)), float(edge))
