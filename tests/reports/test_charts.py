"""Charts are sound XML, put values where they belong, and keep the extremes of long curves."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.reports.charts import (
    Bin,
    Interval,
    Scale,
    Series,
    Steps,
    bar,
    curves,
    dots,
    histogram,
    interval,
    thinned,
)
from tunegate.reports.figures import ABSENT, Figure

NUMBERS = st.floats(min_value=-1e6, max_value=1e6)
LINE = Interval(
    scale=Scale(-0.1, 0.1),
    value=0.05,
    low=0.0,
    high=0.1,
    bound=0.01,
    allowed=(-0.02, 0.1),
    limit=-0.02,
    zero=True,
    ends=("-10", "10"),
    status="pass",
    title="<accuracy>",
    description="about & more",
)


def places(drawing: str, name: str, attribute: str) -> list[float]:
    root = ElementTree.fromstring(drawing)
    return [
        float(one.get(attribute, "").rstrip("%")) for one in root.iter() if name in one.get("class", "").split()
    ]


def test_the_line_of_a_rule_is_to_scale() -> None:
    drawing = interval(LINE)
    assert places(drawing, "point", "cx") == [75.0]
    assert places(drawing, "zero", "x1") == [50.0]
    assert places(drawing, "limit", "x1") == [40.0]
    assert places(drawing, "allowed", "x") == [40.0]
    assert places(drawing, "allowed", "width") == [60.0]
    assert sorted(places(drawing, "whisker", "x1")) == [50.0, 55.0, 75.0]


def test_each_chart_has_a_title_and_a_description() -> None:
    count = Figure(3, "/n", "count")
    for drawing in (
        interval(LINE),
        histogram([Bin(0, 10, count)], Figure(5, "/limit", "count"), "t", "d"),
        curves([Series("loss", [(1, 2.0), (2, 1.0)], dots=True)], 2, "t", "d"),
    ):
        root = ElementTree.fromstring(drawing)
        assert root.get("role") == "img"
        assert root.findtext("title")
        assert root.findtext("desc")


def test_columns_beyond_the_limit_stand_out() -> None:
    bins = [
        Bin(0, 10, Figure(5, "/0", "count")),
        Bin(10, 20, Figure(0, "/1", "count")),
        Bin(30, 40, Figure(1, "/2", "count")),
    ]
    drawing = histogram(bins, Figure(25, "/limit", "count"), "t", "d")
    assert len(places(drawing, "over", "x")) == 1
    assert places(drawing, "column", "x") == [0.0, 25.0, 75.0]
    assert 'data-key="/limit"' in drawing
    without = histogram(bins, Figure(ABSENT, "/limit", "count"), "t", "d")
    assert places(without, "over", "x") == []


def geometric(last: int, rows: int = 5) -> list[Bin]:
    edges = [0, 8]
    while edges[-1] <= last:
        edges.append(edges[-1] * 3 // 2 if edges[-1].bit_count() == 1 else edges[-1] * 4 // 3)
    return [Bin(low, high, Figure(rows, f"/{low}", "count")) for low, high in pairwise(edges)]


def test_one_long_row_leaves_the_other_columns_their_width() -> None:
    drawing = histogram(geometric(20_000), Figure(192, "/limit", "count"), "t", "d")
    widths = places(drawing, "column", "width")
    assert min(widths) == max(widths) > 3
    line = places(drawing, "limit", "x1")[0]
    assert [x > line - 0.01 for x in places(drawing, "column", "x")].count(True) == len(
        places(drawing, "over", "x")
    ) + 1


def test_numbers_stand_over_columns_where_they_have_room() -> None:
    limit = Figure(ABSENT, "/limit", "count")
    few, many, large = (
        histogram(bins, limit, "t", "d") for bins in (geometric(50), geometric(9_000), geometric(9_000, 1_234_567))
    )
    assert len(places(few, "value", "x")) == len(geometric(50))
    assert 'class="histogram"' in few
    assert len(places(many, "value", "x")) == len(geometric(9_000))
    assert 'class="histogram crowded"' not in many
    assert places(large, "value", "x") == []


def test_a_limit_beyond_the_last_column_lies_at_the_end() -> None:
    drawing = histogram(geometric(50), Figure(4_096, "/limit", "count"), "t", "d")
    assert places(drawing, "limit", "x1") == [100.0]
    assert places(drawing, "over", "x") == []


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=30, unique=True).map(sorted), st.integers(-5, 2 * 10**6)
)
def test_steps_are_even_and_never_leave_the_axis(edges: list[int], value: int) -> None:
    steps = Steps(edges)
    assert 0 <= steps.at(value) <= 100
    assert steps.at(value) <= steps.at(value + 1)
    if len(edges) > 1:
        assert [steps.at(edge) for edge in edges] == [
            100 * number / (len(edges) - 1) for number in range(len(edges))
        ]


def test_charts_of_nothing_much() -> None:
    ElementTree.fromstring(curves([Series("loss", [(0, 0.0)])], None, "t", "d"))
    ElementTree.fromstring(bar(7.0))
    ElementTree.fromstring(dots([]))
    assert Scale(1.0, 1.0).at(1.0) == 50.0


@settings(deadline=None, max_examples=50)
@given(st.lists(NUMBERS, min_size=1, max_size=3000), st.integers(min_value=10, max_value=100))
def test_thinning_keeps_ends_and_extremes(values: list[float], most: int) -> None:
    points = [(float(x), y) for x, y in enumerate(values)]
    kept = thinned(points, most)
    assert len(kept) <= max(most + 2, 2)
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    assert kept == sorted(kept)
    assert set(kept) <= set(points)
    assert max(y for _, y in kept) == max(values)
    assert min(y for _, y in kept) == min(values)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.floats(0, 1e9)), min_size=1, max_size=20))
def test_curves_never_leave_the_drawing(points: list[tuple[int, float]]) -> None:
    drawing = curves([Series("loss", [(float(x), y) for x, y in points])], None, "t", "d")
    path = re.search(r'points="([^"]*)"', drawing)
    assert path is not None
    assert all(0 <= float(place) <= 100 for pair in path[1].split() for place in pair.split(","))
