"""Tells walls, ceiling, floor and windows apart, and says how sure it is.

Works on a small copy of the picture. A region is judged by where it lies, how it ends and what
colour it has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from medici.adapters.providers.local.restyle import protect
from medici.adapters.providers.local.restyle.colour import Flags, Floats
from medici.adapters.providers.local.restyle.growth import grown
from medici.adapters.providers.local.restyle.patches import Patch, hue_distance, measure
from medici.adapters.providers.local.restyle.view import View, union
from medici.adapters.providers.local.restyle.walls import (
    SAME_HUE,
    by_colour,
    wall_groups,
)

SURE: Final = 0.5  # confidence from which paint is allowed
WALL_SHARE: Final = (0.07, 0.65)  # of the picture; a wall smaller or larger is doubtful


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What was recognised; masks have the size of the small copy."""

    walls: tuple[Flags, ...]  # each takes a paint of its own strength
    floor: Flags | None
    ceiling: Flags
    windows: Floats  # 0..1 with a soft rim
    confidence: float  # in the walls, 0..1

    @property
    def wall_mask(self) -> Flags:
        height, width = self.ceiling.shape
        return union(self.walls, (height, width))

    @property
    def sure(self) -> bool:
        return self.confidence >= SURE


def look(view: View) -> Room:
    """Return the room seen in a small picture."""
    windows = protect.windows(view.lab)
    return _recognised(_closed(view, windows), view, windows)


def look_inside(view: View, hint: Flags) -> Room:
    """Return the room as the customer's mask of the same size cuts it out.

    What lies in the mask is wall or floor without further proof, and nothing outside of it is.
    """
    windows = protect.windows(view.lab)
    return _pointed_out(_closed(view, windows), view, windows, hint)


def _closed(view: View, windows: Floats) -> list[Patch]:
    return [patch for patch in measure(view) if not _is_opening(patch, windows)]


def _recognised(patches: Sequence[Patch], view: View, windows: Floats) -> Room:
    panes = windows > 0.5
    floor = _floor(patches, view, panes)
    overhead = _overhead(patches)
    ceiling = union([patch.mask for patch in overhead], view.shape)
    barred = panes | ceiling if floor is None else panes | ceiling | floor
    walls = _surfaces(wall_groups(patches, overhead, view), view, barred)
    confidence = _confidence(walls, view)
    return Room(walls=walls, floor=floor, ceiling=ceiling, windows=windows, confidence=confidence)


def _pointed_out(patches: Sequence[Patch], view: View, windows: Floats, hint: Flags) -> Room:
    inside = [patch for patch in patches if hint[patch.mask].mean() > 0.5]
    ground = union([patch.mask for patch in inside if patch.is_ground], view.shape) & hint
    wanted = hint & ~ground & (windows < 0.5)
    groups = by_colour([patch for patch in inside if not patch.is_ground])
    walls = _surfaces(groups, view, ~wanted) or ((wanted,) if wanted.any() else ())
    return Room(
        walls=walls,
        floor=ground if ground.any() else None,
        ceiling=np.zeros(view.shape, np.bool_),
        windows=windows,
        confidence=float(bool(walls)),
    )


def _is_opening(patch: Patch, windows: Floats) -> bool:
    return patch.lightness > 93 or float(windows[patch.mask].mean()) > 0.5


def _covers(patch: Patch) -> bool:
    high = patch.at_top > 0.25 * patch.width and patch.bottom < 0.48
    return high and patch.width > 0.75 * patch.height


def _overhead(patches: Sequence[Patch]) -> list[Patch]:
    """Return what covers the room, without the upper parts of a wall of another colour."""
    covering = [patch for patch in patches if _covers(patch)]
    groups = by_colour(covering)
    if not groups:
        return []
    head = max(groups, key=lambda group: sum(patch.at_top for patch in group))[0]
    return [patch for patch in covering if hue_distance(patch.colour, head.colour) < SAME_HUE]


def _floor(patches: Sequence[Patch], view: View, barred: Flags) -> Flags | None:
    """Return the floor when one colour of it takes a good part of the lower edge."""
    ground = [patch for patch in patches if patch.is_ground and not patch.hangs]
    groups = by_colour(sorted(ground, key=lambda patch: -patch.at_bottom))
    if not groups:
        return None
    contact, area = (
        sum(sizes) for sizes in zip(*((p.at_bottom, p.area) for p in groups[0]), strict=True)
    )
    return _surface(groups[0], view, barred) if contact > 0.3 and area > 0.06 else None


def _surfaces(groups: Sequence[list[Patch]], view: View, barred: Flags) -> tuple[Flags, ...]:
    """Return one surface per group; none reaches into another."""
    found: list[Flags] = []
    for group in groups:
        others = [patch.mask for other in groups if other is not group for patch in other]
        surface = _surface(group, view, barred | union([*others, *found], view.shape))
        found += [surface] if surface.any() else []
    return tuple(found)


def _surface(group: Sequence[Patch], view: View, barred: Flags) -> Flags:
    sure = union([patch.mask for patch in group], view.shape) & ~barred
    mask = grown(sure, view, barred)
    return mask & ~protect.foreign(view.lab, mask)


def _confidence(walls: Sequence[Flags], view: View) -> float:
    """Return the weakest of three signs: size, borders that lie on edges, calm colour."""
    if not walls:
        return 0.0
    mask = union(walls, view.shape)
    least, most = WALL_SHARE
    share = float(mask.mean())
    sized = min(share / least, (1 - share) / (1 - most), 1.0)
    spread = max(_spread(view.lab[wall]) for wall in walls)
    return min(0.5 * sized + 0.5 * (sized >= 1), _edge_share(mask, view.near), 1.5 - spread / 6)


def _spread(colours: Floats) -> float:
    """Return how far typical pixels are from the median hue, in Lab units."""
    away = np.abs(colours[:, 1:] - np.median(colours[:, 1:], axis=0))
    return float(1.5 * np.median(away, axis=0).max())


def _edge_share(mask: Flags, near: Floats) -> float:
    """Return which part of the mask's border lies on an edge of the picture."""
    cross = np.ones((3, 3), np.uint8)
    rim = mask & (cv2.erode(mask.astype(np.uint8), cross, borderValue=1) == 0)
    return float((near[rim] > 2).mean()) if rim.any() else 0.0
