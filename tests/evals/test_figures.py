"""Intervals of macro F1 are those that a gate decides on, and what cannot be told is no zero."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from tunegate.evals import figures
from tunegate.evals.evidence import read_absolute, read_paired
from tunegate.evals.figures import Drawing, Labelled
from tunegate.evals.intervals import z_value

DRAWING = Drawing(400, 0)


def rows_of(n: int, labels: int, base: float, tuned: float, seed: int = 5) -> Labelled:
    """Return rows of equally frequent labels that the models get right with these probabilities."""
    draw = random.Random(seed)
    truth = [number % labels for number in range(n)]
    base_answers = [one if draw.random() < base else labels for one in truth]
    tuned_answers = [one if draw.random() < tuned else labels for one in truth]
    return Labelled(truth, base_answers, tuned_answers, labels)


@pytest.mark.parametrize(
    ("n", "base", "tuned"), [(24, 0.0, 0.0), (24, 0.0, 1.0), (360, 0.0, 0.9), (360, 0.5, 0.6)]
)
def test_the_interval_of_macro_f1_is_the_gate_s(n: int, base: float, tuned: float) -> None:
    entry = figures.f1("f1_macro", rows_of(n, 12, base, tuned), DRAWING)
    for shown, decided in (
        (entry["ci"], read_absolute(entry).interval(0.05)),
        (entry["delta"]["ci"], read_paired(entry).interval(0.05)),
    ):
        assert (shown["low"], shown["high"]) == (decided.low, decided.high)
        assert shown["low"] < shown["high"]


def test_rows_without_any_variation_leave_a_score_interval_open() -> None:
    entry = figures.f1("f1_macro", rows_of(360, 12, 0.0, 0.0), DRAWING)
    floor = 1.959964**2 / 360
    assert entry["ci"]["low"] == 0.0
    assert entry["ci"]["high"] == pytest.approx(floor, rel=1e-6)
    assert entry["baseline"]["ci"]["high"] == pytest.approx(floor, rel=1e-6)
    assert (entry["delta"]["ci"]["low"], entry["delta"]["ci"]["high"]) == pytest.approx((-floor, floor), rel=1e-6)
    # what the bootstrap itself saw is kept
    assert {(one["low"], one["high"]) for one in entry["ci"]["bounds"]} == {(0.0, 0.0)}
    assert entry["power"]["detectable_delta_80"] == pytest.approx(floor * (1 + z_value(0.4) / 1.959964), rel=1e-6)


def test_a_reference_without_variation_has_an_interval_too() -> None:
    wrong = rows_of(48, 4, 0.0, 0.0)
    found = figures.reference(wrong.matrix(wrong.tuned), DRAWING)
    assert found["f1_macro"]["ci"]["high"] > 0.05


def test_where_rows_vary_the_bootstrap_decides() -> None:
    entry = figures.f1("f1_macro", rows_of(2_000, 4, 0.4, 0.6), DRAWING)
    kept = {one["alpha"]: one for one in entry["ci"]["bounds"]}[0.05]
    assert entry["ci"]["low"] == pytest.approx(kept["low"])
    assert entry["ci"]["high"] == pytest.approx(kept["high"])


def power(sizes: list[tuple[float, int] | None]) -> Any:
    entry = figures.likelihood("perplexity", sizes, sizes, DRAWING)
    return entry["power"]["detectable_delta_80"]


def test_what_equal_likelihoods_could_show_is_not_known() -> None:
    assert power([(0.1, 3)] * 30) is None
    assert power([(0.1 * number, 3) for number in range(30)]) is None  # the difference of a model to itself
    base: list[tuple[float, int] | None] = [(0.1 * number, 3) for number in range(30)]
    tuned: list[tuple[float, int] | None] = [(0.1 * number + 0.01 * (number % 3), 3) for number in range(30)]
    seen = figures.likelihood("perplexity", base, tuned, DRAWING)["power"]["detectable_delta_80"]
    assert math.isfinite(seen)
    assert seen > 0
