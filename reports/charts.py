"""Charts as SVG, made on this side: no script, no style of their own, sizes in percent of where they stand.

Shapes are placed in percent, so a chart fills its place at any width and its text keeps its size; lines, which SVG
cannot place in percent, lie in an inner drawing that is stretched. Colours come from classes of `style.css`. Each
chart has a title and a description; the page puts the same figures beside it as a table.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tunegate.reports.figures import Figure
from tunegate.reports.format import MINUS

# Room for the numbers over the columns of a histogram, in signs of 0.42 rem side by side: at full width, and on a
# phone.
ROOM, ROOM_ON_PHONE = 127, 49

# So many borders of columns are named along the axis at most, which a phone has room for.
MOST_TICKS = 6

Point = tuple[float, float]

# A line of more points than this is thinned to the extremes of as many stretches; no eye sees the difference.
MOST_POINTS = 600


@dataclass(frozen=True, slots=True)
class Scale:
    """A range of values laid over 0 to 100 percent; values beyond it stick to its ends."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return the place of a value in percent."""
        if self.high <= self.low:
            return 50.0
        return 100.0 * min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


@dataclass(frozen=True, slots=True)
class Steps:
    """An axis on which each stretch from one edge to the next is as wide as any other.

    Over edges that grow like powers of two it is a logarithmic axis.
    """

    edges: Sequence[float]

    def at(self, value: float) -> float:
        """Return the place of a value in percent; values beyond the axis stick to its ends."""
        last = len(self.edges) - 1
        index = bisect_right(self.edges, value) - 1
        if index < 0 or last < 1:
            return 0.0
        if index >= last:
            return 100.0
        low, high = self.edges[index], self.edges[index + 1]
        return 100.0 * (index + (value - low) / (high - low)) / last


def _percent(place: float) -> str:
    """Write a place shortly; two decimals are a fiftieth of a pixel."""
    return f"{place:.2f}".rstrip("0").rstrip(".") + "%"


def tick(value: float) -> str:
    """Write a value of an axis: as short as it goes."""
    return f"{value:.6g}".replace("-", MINUS)


def _drawing(name: str, title: str, description: str, *shapes: str) -> Markup:
    return Markup('<svg class="{}" role="img" aria-label="{}"><title>{}</title><desc>{}</desc>{}</svg>').format(
        name, title, title, description, Markup("").join(shapes)
    )


def _rectangle(name: str, left: float, right: float, top: str, height: str) -> Markup:
    return Markup('<rect class="{}" x="{}" width="{}" y="{}" height="{}"/>').format(
        name, _percent(left), _percent(max(0.0, right - left)), top, height
    )


def _line(name: str, x: float, top: str, bottom: str) -> Markup:
    return Markup('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
        name, _percent(x), _percent(x), top, bottom
    )


def _span(name: str, left: float, right: float) -> Markup:
    return Markup('<line class="{}" x1="{}" x2="{}" y1="12" y2="12"/>').format(
        name, _percent(left), _percent(right)
    )


def _figure(name: str, x: float, y: str, figure: Figure, *, anchor: str, before: str = "") -> Markup:
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}<tspan {}>{}</tspan></text>').format(
        name, _percent(x), y, anchor, before, figure.attributes, figure.text
    )


def _label(name: str, x: float, y: str, text: str, anchor: str) -> Markup:
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}" aria-hidden="true">{}</text>').format(
        name, _percent(x), y, anchor, text
    )


@dataclass(frozen=True, slots=True)
class Interval:
    """One line of the forest plot: what was observed, how sure that is, and what the rule allows.

    `allowed` is the range of values for which the rule holds, `bound` the one-sided bound that the rule decides
    on; `zero` draws the line of no difference.
    """

    scale: Scale
    value: float | None
    low: float | None
    high: float | None
    bound: float | None
    allowed: tuple[float, float]
    limit: float
    zero: bool
    ends: tuple[str, str]
    status: str
    title: str
    description: str


def interval(line: Interval) -> Markup:
    """Draw a line of the forest plot: the allowed range shaded, the limit, the interval, the point."""
    at = line.scale.at
    shapes = [_rectangle("allowed", at(line.allowed[0]), at(line.allowed[1]), "0", "24")]
    shapes.append(Markup('<line class="axis" x1="0%" x2="100%" y1="24" y2="24"/>'))
    if line.zero:
        shapes.append(_line("zero", at(0.0), "0", "24"))
    shapes.append(_line("limit", at(line.limit), "0", "24"))
    if line.low is not None and line.high is not None:
        shapes.append(_span(f"whisker {line.status}", at(line.low), at(line.high)))
    if line.value is not None and line.bound is not None:
        shapes.append(_span(f"whisker decides {line.status}", at(line.value), at(line.bound)))
        shapes.append(_line(f"whisker decides {line.status}", at(line.bound), "6", "18"))
    if line.value is not None:
        shapes.append(
            Markup('<circle class="point {}" cx="{}" cy="12" r="4.5"/>').format(
                line.status, _percent(at(line.value))
            )
        )
    shapes.append(_label("tick", 0.0, "37", line.ends[0], "start"))
    shapes.append(_label("tick", 100.0, "37", line.ends[1], "end"))
    return _drawing("forest", line.title, line.description, *shapes)


def bar(share: float, name: str = "") -> Markup:
    """Draw one bar of a table of bars; the figure stands beside it, so it is silent for screen readers."""
    return Markup('<svg class="bar" aria-hidden="true"><rect class="{}" width="{}" height="100%"/></svg>').format(
        name, _percent(100.0 * min(1.0, max(0.0, share)))
    )


@dataclass(frozen=True, slots=True)
class Bin:
    """One column of a histogram: values from `low` up to `high`."""

    low: float
    high: float
    count: Figure


def histogram(bins: Sequence[Bin], limit: Figure, title: str, description: str) -> Markup:
    """Draw counts as columns of one width over their borders; the limit is a line, and what is beyond it set off.

    One value far out takes one column more and does not press the others together.
    """
    border = float(limit.value) if limit.known else None
    edges = sorted({edge for column in bins for edge in (column.low, column.high)})
    if border is not None and border > edges[-1]:
        edges.append(border)
    steps = Steps(edges)
    most = max(column.count.value for column in bins) or 1
    signs = (len(edges) - 1) * (0.5 + max(len(column.count.text) for column in bins))
    shapes = []
    for column in bins:
        # A column of a single row stays visible.
        height = max(2.0, 150.0 * column.count.value / most) if column.count.value else 0.0
        name = "column over" if border is not None and column.low > border else "column"
        left, right = steps.at(column.low), steps.at(column.high)
        shapes.append(_rectangle(name, left, max(left, right - 0.3), f"{175 - height:.1f}", f"{height:.1f}"))
        if column.count.value and signs <= ROOM:
            shapes.append(
                _figure("value", (left + right) / 2, f"{170 - height:.1f}", column.count, anchor="middle")
            )
    shapes.append(Markup('<line class="axis" x1="0%" x2="100%" y1="175" y2="175"/>'))
    shapes += [_edge(steps.at(edge), edge) for edge in _named(edges)]
    if border is not None:
        place = steps.at(border)
        shapes.append(_line("limit", place, "8", "175"))
        # On a line of its own, below the names of the borders.
        anchor = "end" if place > 50 else "start"
        shapes.append(_figure("limit-name", place, "207", limit, anchor=anchor, before="limit "))
    name = "histogram crowded" if signs > ROOM_ON_PHONE else "histogram"
    return _drawing(name, title, description, *shapes)


def _named(edges: Sequence[float]) -> list[float]:
    """Return the borders that are named: evenly spread, the first and the last among them."""
    count = min(MOST_TICKS, len(edges))
    return [edges[round(index * (len(edges) - 1) / max(1, count - 1))] for index in range(count)]


def _edge(place: float, edge: float) -> Markup:
    anchor = "start" if place == 0 else "end" if place == 100 else "middle"
    return _label("tick", place, "191", tick(edge), anchor)


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a chart: its points, the class that gives its look, whether each point is marked."""

    name: str
    points: Sequence[Point]
    dots: bool = False


def curves(
    series: Sequence[Series], mark: float | None, title: str, description: str, name: str = "curves"
) -> Markup:
    """Draw lines over training steps from zero up; `mark` is the step of the chosen checkpoint."""
    points = [point for line in series for point in line.points]
    across = Scale(0.0, max(x for x, _ in points))
    ticks = _ticks(max(y for _, y in points))
    upward = Scale(0.0, ticks[-1])
    shapes = []
    for height in ticks:
        y = _percent(100.0 - upward.at(height))
        shapes.append(Markup('<line class="grid" x1="0%" x2="100%" y1="{}" y2="{}"/>').format(y, y))
        shapes.append(
            # In the margin at the left, which the style sheet leaves free: no line can run through it there.
            Markup(
                '<text class="tick" x="0%" y="{}" dx="-8" dy="4" text-anchor="end" aria-hidden="true">{}</text>'
            ).format(y, tick(height))
        )
    if mark is not None:
        shapes.append(_line("chosen", across.at(mark), "0%", "100%"))
    for line in series:
        path = " ".join(f"{across.at(x):.2f},{100.0 - upward.at(y):.2f}" for x, y in thinned(line.points))
        shapes.append(
            Markup(
                '<svg width="100%" height="100%" viewBox="0 0 100 100" preserveAspectRatio="none">'
                '<polyline class="{}" points="{}"/></svg>'
            ).format(line.name, path)
        )
        if line.dots:
            shapes += [
                Markup('<circle class="{}" cx="{}" cy="{}" r="3.5"/>').format(
                    line.name, _percent(across.at(x)), _percent(100.0 - upward.at(y))
                )
                for x, y in thinned(line.points)
            ]
    return _drawing(name, title, description, *shapes)


def _ticks(most: float) -> list[float]:
    """Return three to five round values from 0 to at least `most`."""
    if most <= 0:
        return [0.0, 1.0]
    size = 10.0 ** math.floor(math.log10(most / 4))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor * 4 >= most * (1 - 1e-9))
    return [step * index for index in range(math.ceil(most / step * (1 - 1e-9)) + 1)]


def thinned(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """Return about `most` points: of each stretch the lowest and the highest, in their order, and the ends."""
    if len(points) <= most:
        return list(points)
    width = 2 * len(points) / most
    kept = {0, len(points) - 1}
    for stretch in range(most // 2):
        inside = range(int(stretch * width), min(len(points), int((stretch + 1) * width)))
        if inside:
            kept |= {
                min(inside, key=lambda index: points[index][1]),
                max(inside, key=lambda index: points[index][1]),
            }
    return [points[index] for index in sorted(kept)]


def dots(values: Sequence[tuple[str, float]]) -> Markup:
    """Draw shares of 1 as dots on a line; the figures stand beside it, so it is silent for screen readers."""
    shapes = [
        Markup('<circle class="{}" cx="{}" cy="50%" r="4"/>').format(
            name, _percent(2 + 0.96 * Scale(0.0, 1.0).at(value))
        )
        for name, value in values
    ]
    return Markup(
        '<svg class="dots" aria-hidden="true"><line class="axis" x1="2%" x2="98%" y1="50%" y2="50%"/>{}</svg>'
    ).format(Markup("").join(shapes))
