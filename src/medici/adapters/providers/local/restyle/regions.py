"""Cuts a picture into regions that end where edges are, however soft the edge.

Three steps. An edge map in Lab that answers to steps but not to slow shading. Superpixels, grown
by watershed from the calmest point of each cell of a grid. Merging of neighbours, weakest common
border first, until every border left is an edge.
"""

import functools
import heapq
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from medici.adapters.providers.local.restyle.colour import Bytes, Floats, dot

Labels = NDArray[np.int32]  # height x width, one number per region

CELL: Final = 7  # pixels between the seeds of two superpixels
EDGE: Final = 2.2  # mean step in Lab units along a border that keeps two regions apart
FAINT: Final = 0.7  # Lab units; a lower line is grain
LINE_WEIGHT: Final = 3.0  # a straight line is an edge at a third of the height
LINE_REACH: Final = 16  # pixels to both sides over which a line is averaged
TURNS: Final = 16  # directions in half a circle
STRONGEST: Final = 6.0  # a step counts for no more than this, so one sharp corner is not a border
SMALL: Final = 200  # pixels; smaller regions give in more easily
CHROMA_WEIGHT: Final = np.array([1.0, 1.6, 1.6], np.float32)  # colour tells more than lightness


def smooth(lab: Floats) -> Floats:
    """Flatten grain and fabric while keeping soft edges."""
    for _ in range(2):
        lab = np.asarray(cv2.bilateralFilter(lab, 7, 5, 3), dtype=np.float32)
    return lab


class Edges(NamedTuple):
    """Step heights at the ridges of the gradient, in Lab units, 0 elsewhere."""

    heights: Floats
    borders: Floats  # the same with faint straight lines strengthened; regions end here
    fine: Floats  # seen without blurring
    lines: Floats  # faint and straight


def edge_map(lab: Floats) -> Edges:
    """Return the edges of a smoothed Lab picture."""
    weighted = lab * CHROMA_WEIGHT
    fine = _ridges(*_steps(weighted, 1.0, 5.0))
    coarse = _ridges(*_steps(weighted, 2.2, 9.0))
    lines = _lines(lab[..., 0].copy())
    heights = np.maximum(fine, coarse)
    borders = np.maximum(heights, LINE_WEIGHT * lines)
    return Edges(np.maximum(heights, lines), borders, fine, lines)


def segment(smoothed: Floats, edges: Edges) -> Labels:
    """Return the regions of a smoothed Lab picture, numbered from 0 without gaps."""
    cells = _superpixels(smoothed, edges.borders)
    roots = _merge(_borders(cells, edges.borders), np.bincount(cells.ravel()))
    _, numbers = np.unique(roots, return_inverse=True)
    return numbers.astype(np.int32)[cells]


def _gradient(lab: Floats, sigma: float) -> tuple[Floats, Floats]:
    blurred = cv2.GaussianBlur(lab, (0, 0), sigma)
    across = cv2.Sobel(blurred, cv2.CV_32F, 1, 0, ksize=1) * (sigma / 2)
    down = cv2.Sobel(blurred, cv2.CV_32F, 0, 1, ksize=1) * (sigma / 2)
    return np.asarray(across, dtype=np.float32), np.asarray(down, dtype=np.float32)


def _steps(lab: Floats, narrow: float, wide: float) -> tuple[Floats, Floats]:
    """Return step height and direction; a ramp looks the same at both scales and cancels out."""
    share = narrow / wide
    across, down = _gradient(lab, narrow)
    wide_across, wide_down = _gradient(lab, wide)
    plain = _length(across, down)
    steep = _length(across - share * wide_across, down - share * wide_down)
    # 1 / 2.5 is the peak of a Gaussian: the factor turns the gradient of a step into its height.
    height = np.minimum(plain, steep) * np.float32(2.5 / (1 - share))
    return height, _direction(across, down)


def _length(across: Floats, down: Floats) -> Floats:
    return np.asarray(np.sqrt(dot(across, across) + dot(down, down)), dtype=np.float32)


def _direction(across: Floats, down: Floats) -> Floats:
    """Return the angle in which the three channels together change most."""
    turned = np.arctan2(2 * dot(across, down), dot(across, across) - dot(down, down))
    return np.asarray(turned / 2, dtype=np.float32)


def _ridges(height: Floats, direction: Floats) -> Floats:
    """Keep a height only where both neighbours along the gradient are lower."""
    rows, columns = np.mgrid[0 : height.shape[0], 0 : height.shape[1]].astype(np.float32)
    across, down = np.cos(direction), np.sin(direction)
    ahead = cv2.remap(height, columns + across, rows + down, cv2.INTER_LINEAR)
    behind = cv2.remap(height, columns - across, rows - down, cv2.INTER_LINEAR)
    return np.where((height >= ahead) & (height >= behind), height, np.float32(0))


def _lines(lightness: Floats) -> Floats:
    """Return the height of faint steps along straight lines: where wall and ceiling meet.

    The signed step is averaged along the line, in which grain cancels out and an edge does not.
    """
    best = np.zeros(lightness.shape, np.float32)
    across = np.zeros(lightness.shape, np.float32)
    for turn in np.arange(TURNS) * (np.pi / TURNS):
        answer = np.abs(cv2.filter2D(lightness, cv2.CV_32F, _line_kernel(float(turn))))
        across[answer > best] = turn
        best = np.maximum(best, answer)
    # The end of a strong line answers in all directions; what is faint beside it is an echo.
    loudest = cv2.dilate(best, np.ones((19, 19), np.uint8))
    heard = (best > FAINT) & (best > 0.2 * loudest)
    return np.where(heard, _ridges(best, across), np.float32(0))


@functools.cache
def _line_kernel(across: float) -> Floats:
    """Return a kernel that measures a step in direction ``across``; a ramp gives nothing."""
    reach = np.arange(-LINE_REACH, LINE_REACH + 1, dtype=np.float64)
    columns, rows = np.meshgrid(reach, reach)
    over = columns * np.cos(across) + rows * np.sin(across)
    along = rows * np.cos(across) - columns * np.sin(across)
    profile = _slope(over, 1.3) - _slope(over, 4.0)
    kernel = profile * np.exp(-0.5 * (along / (LINE_REACH / 2)) ** 2)
    kernel -= kernel.mean()
    return np.asarray(kernel / kernel[over > 0].sum(), dtype=np.float32)


def _slope(distance: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    return distance / sigma**3 * np.exp(-0.5 * (distance / sigma) ** 2)


def _superpixels(smoothed: Floats, borders: Floats) -> Labels:
    cells = cv2.watershed(_relief(smoothed, borders), _seeds(smoothed)).astype(np.int32)
    for _ in range(3):  # watershed leaves lines of -1 between basins; give them to a neighbour
        spread = cv2.dilate(cells.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
        cells = np.where(cells <= 0, spread, cells)
    _, numbers = np.unique(cells, return_inverse=True)
    return numbers.reshape(cells.shape).astype(np.int32)


def _relief(smoothed: Floats, borders: Floats) -> Bytes:
    """Return what watershed floods: differences to the surroundings, with edges as ridges.

    It sees whole bytes only, so everything is enlarged first.
    """
    local = smoothed - cv2.GaussianBlur(smoothed, (0, 0), 12)
    relief = 128 + 4 * CHROMA_WEIGHT * local
    tint = np.where(np.abs(local[..., 1]) > np.abs(local[..., 2]), relief[..., 1], relief[..., 2])
    layers = np.stack([relief[..., 0], tint, 40 * borders], axis=2)
    return np.asarray(np.clip(layers, 0, 255), dtype=np.uint8)


def _seeds(smoothed: Floats) -> Labels:
    """Mark the calmest pixel of each grid cell, the cell's rim left out."""
    calm, _ = _steps(smoothed * CHROMA_WEIGHT, 0.8, 4.0)
    rows, columns = calm.shape[0] // CELL, calm.shape[1] // CELL
    inner = calm[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL)[
        :, 1:-1, :, 1:-1
    ]
    side = CELL - 2
    best = inner.transpose(0, 2, 1, 3).reshape(rows, columns, side * side).argmin(axis=2)
    down = np.arange(rows)[:, None] * CELL + 1 + best // side
    across = np.arange(columns)[None, :] * CELL + 1 + best % side
    seeds = np.zeros(calm.shape, np.int32)
    seeds[down, across] = np.arange(1, rows * columns + 1).reshape(rows, columns)
    return seeds


Border = tuple[float, int]  # summed step height, pixels
Neighbours = list[dict[int, Border]]


def _borders(cells: Labels, edges: Floats) -> Neighbours:
    near = np.minimum(cv2.dilate(edges, np.ones((3, 3), np.uint8)), STRONGEST)
    count = int(cells.max()) + 1
    keys, heights = [], []
    for before, after in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1, :], np.s_[1:, :])):
        apart = cells[before] != cells[after]
        low = np.minimum(cells[before], cells[after])[apart].astype(np.int64)
        high = np.maximum(cells[before], cells[after])[apart]
        keys.append(low * count + high)
        heights.append(((near[before] + near[after]) / 2)[apart])
    return _tally(np.concatenate(keys), np.concatenate(heights), count)


def _tally(keys: NDArray[np.int64], heights: Floats, count: int) -> Neighbours:
    pairs, where = np.unique(keys, return_inverse=True)
    sums, sizes = np.bincount(where, heights), np.bincount(where)
    neighbours: Neighbours = [{} for _ in range(count)]
    for pair, total, size in zip(pairs.tolist(), sums.tolist(), sizes.tolist(), strict=True):
        low, high = divmod(pair, count)
        neighbours[low][high] = neighbours[high][low] = (total, size)
    return neighbours


def _merge(neighbours: Neighbours, sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join regions across their weakest borders; return the surviving region of each cell."""
    union = _Union(neighbours, sizes.tolist())
    while union.queue:
        *_, one, other, age, other_age = heapq.heappop(union.queue)
        if (age, other_age) == (union.age[one], union.age[other]):
            union.join(one, other)
    return np.array([union.root(cell) for cell in range(len(sizes))])


class _Union:
    """Regions while they grow; an offer in the queue counts only while both ages are current."""

    def __init__(self, neighbours: Neighbours, sizes: list[int]) -> None:
        self.neighbours = neighbours
        self.sizes = sizes
        self.parent = list(range(len(sizes)))
        self.age = [0] * len(sizes)
        self.queue: list[tuple[float, int, int, int, int, int]] = []
        for one, around in enumerate(neighbours):
            for other in around:
                if one < other:
                    self._offer(one, other)

    def root(self, cell: int) -> int:
        while self.parent[cell] != cell:
            cell = self.parent[cell]
        return cell

    def join(self, one: int, other: int) -> None:
        if len(self.neighbours[one]) < len(self.neighbours[other]):
            one, other = other, one
        self.parent[other] = one
        self.sizes[one] += self.sizes[other]
        self.age[one] += 1
        self.age[other] = -1
        self._hand_over(other, one)
        for third in self.neighbours[one]:
            self._offer(one, third)

    def _hand_over(self, source: int, target: int) -> None:
        del self.neighbours[target][source]
        for third, (total, size) in self.neighbours[source].items():
            if third == target:
                continue
            del self.neighbours[third][source]
            known_total, known_size = self.neighbours[target].get(third, (0.0, 0))
            border = (known_total + total, known_size + size)
            self.neighbours[target][third] = self.neighbours[third][target] = border
        self.neighbours[source] = {}

    def _offer(self, one: int, other: int) -> None:
        """Queue the joining of two regions, unless an edge parts them.

        Of equal offers the smaller regions come first: one that swallows all others is slow.
        """
        total, length = self.neighbours[one][other]
        smaller = min(self.sizes[one], self.sizes[other])
        cost = total / length * min(1.0, smaller / SMALL) ** 0.25
        if cost <= EDGE:
            both = self.sizes[one] + self.sizes[other]
            ages = self.age[one], self.age[other]
            heapq.heappush(self.queue, (cost, both, one, other, *ages))
