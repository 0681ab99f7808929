"""The geometry of charts, worked out here and drawn by templates/components/chart.html: nothing runs in the browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 48, 8, 12, 28
MOST_LABELS = 8


@dataclass(frozen=True, slots=True)
class Point:
    """One value of the table, with the address of the rows behind it where there is one."""

    label: str
    value: int
    address: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a value stands. Bars use all four, lines the middle of the upper edge."""

    point: Point
    x: float
    y: float
    width: float
    height: float
    shows_label: bool

    @property
    def middle(self) -> float:
        """The middle of the mark, across."""
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True, slots=True)
class Grid:
    """A line across the chart and the number beside it."""

    y: float
    value: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything a template draws. `path` joins the values for a line chart."""

    caption: str
    heads: tuple[str, str]
    marks: list[Mark]
    grid: list[Grid]
    path: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see."""
        return not any(mark.point.value for mark in self.marks)


def chart(caption: str, heads: tuple[str, str], points: Sequence[Point]) -> Chart:
    """A chart of whole numbers from zero up. `heads` name the two columns of its table."""
    top = _round_up(max((point.value for point in points), default=0))
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    step = across / max(len(points), 1)
    every = -(-len(points) // MOST_LABELS) if points else 1
    marks = []
    for number, point in enumerate(points):
        height = round(down * point.value / top, 1)
        x, y = round(LEFT + number * step + step * 0.15, 1), round(TOP + down - height, 1)
        marks.append(Mark(point, x, y, round(step * 0.7, 1), height, number % every == 0))
    lines = [Grid(round(TOP + down - down * part / 2, 1), top * part // 2) for part in range(3)]
    grid = lines if top > 1 else [lines[0], lines[2]]
    path = " ".join(f"{'L' if number else 'M'}{mark.middle} {mark.y}" for number, mark in enumerate(marks))
    return Chart(caption, heads, marks, grid, path)


def _round_up(most: int) -> int:
    """The next even number that is easy to read: 2, 4, 10, 20, 40, 100 …; 1 where nothing is larger."""
    if most <= 1:
        return 1
    size = 1
    while True:
        for factor in (2, 4, 10):
            if most <= factor * size:
                return factor * size
        size *= 10
