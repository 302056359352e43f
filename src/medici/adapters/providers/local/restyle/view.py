"""The small copy of a picture on which a room is looked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from medici.adapters.providers.local.restyle import regions
from medici.adapters.providers.local.restyle.colour import Bytes, Flags, Floats, to_lab
from medici.adapters.providers.local.restyle.outlines import outlines


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One small picture as Lab colours, as edges and as regions."""

    lab: Floats
    smoothed: Floats  # Lab without grain
    edges: Floats  # heights on thin ridges
    near: Floats  # the highest edge within two pixels
    outlines: Flags  # where paint must stop
    labels: regions.Labels

    @classmethod
    def of(cls, small: Bytes) -> Self:
        lab = to_lab(small)
        smoothed = regions.smooth(lab)
        edges = regions.edge_map(smoothed)
        near = cv2.dilate(edges.heights, np.ones((5, 5), np.uint8)).astype(np.float32)
        labels = regions.segment(smoothed, edges)
        return cls(
            lab=lab,
            smoothed=smoothed,
            edges=edges.heights,
            near=near,
            outlines=outlines(edges.fine, edges.lines),
            labels=labels,
        )

    @property
    def shape(self) -> tuple[int, int]:
        return self.edges.shape[0], self.edges.shape[1]


def union(masks: Sequence[Flags], shape: tuple[int, int]) -> Flags:
    united = np.zeros(shape, np.bool_)
    for mask in masks:
        united |= mask
    return united
