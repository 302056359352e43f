"""Measures regions: how large, where, which colour, how calm."""

from dataclasses import dataclass

import cv2
import numpy as np

from medici.adapters.providers.local.restyle.colour import Flags, Floats
from medici.adapters.providers.local.restyle.view import View

LEAST_AREA = 0.0015  # share of the picture; smaller regions are not looked at one by one


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patch:
    """One region. Lengths and areas are shares of the picture's; y grows downwards."""

    mask: Flags
    grown: Flags  # the mask and three pixels around it
    area: float
    top: float
    bottom: float
    left: float
    right: float
    at_top: float  # share of the picture's upper edge that it covers
    at_bottom: float
    colour: Floats  # median Lab
    spread: float  # of its chroma, Lab units
    stripes: float  # change across over change down: above 2 it hangs in folds

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def hangs(self) -> bool:
        """A narrow thing with folds is a curtain."""
        return self.stripes > 2.2 and self.width < 0.15

    @property
    def is_even(self) -> bool:
        return self.spread < 6 and self.lightness > 22 and not self.hangs

    @property
    def is_ground(self) -> bool:
        return self.top > 0.45 and self.bottom > 0.85

    @property
    def lightness(self) -> float:
        return float(self.colour[0])


def measure(view: View) -> list[Patch]:
    """Return the regions worth a look, largest first."""
    labels, lab = view.labels, view.lab
    areas = np.bincount(labels.ravel()) / labels.size
    numbers = [int(i) for i in np.argsort(-areas, kind="stable") if areas[i] >= LEAST_AREA]
    folds = _folds(lab)
    return [_patch(labels == number, lab, folds) for number in numbers]


def hue_distance(one: Floats, other: Floats) -> float:
    """Return how far two Lab colours are apart in hue, in Lab units.

    Lightness does not count, and strength of colour half: both change with the light.
    """
    apart = float(np.hypot(one[1] - other[1], one[2] - other[2]))
    stronger = abs(chroma(one) - chroma(other))
    turned = max(apart**2 - stronger**2, 0.0)
    return float(np.sqrt(turned + (0.5 * stronger) ** 2))


def chroma(colour: Floats) -> float:
    return float(np.hypot(colour[1], colour[2]))


def _patch(mask: Flags, lab: Floats, folds: tuple[Floats, Floats]) -> Patch:
    height, width = mask.shape
    rows, columns = np.nonzero(mask)
    pixels = lab[mask]
    top, bottom = np.percentile(rows, (5, 95)) / height
    left, right = np.percentile(columns, (5, 95)) / width
    return Patch(
        mask=mask,
        grown=cv2.dilate(mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0,
        area=len(rows) / mask.size,
        top=float(top),
        bottom=float(bottom),
        left=float(left),
        right=float(right),
        at_top=float(mask[0].mean()),
        at_bottom=float(mask[-1].mean()),
        colour=np.median(pixels, axis=0).astype(np.float32),
        spread=float(pixels[:, 1:].std(axis=0).max()),
        stripes=_stripes(mask, folds),
    )


def _folds(lab: Floats) -> tuple[Floats, Floats]:
    """Return fine change across and down; the slow change of light does not count."""
    light = lab[..., 0] - cv2.GaussianBlur(lab[..., 0], (0, 0), 4)
    across = np.abs(cv2.Sobel(light, cv2.CV_32F, 1, 0))
    down = np.abs(cv2.Sobel(light, cv2.CV_32F, 0, 1))
    return across.astype(np.float32), down.astype(np.float32)


def _stripes(mask: Flags, folds: tuple[Floats, Floats]) -> float:
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if not inner.any():
        return 1.0
    across, down = folds
    return float(np.median(across[inner]) / (np.median(down[inner]) + 0.3))
