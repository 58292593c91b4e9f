"""The figures of a prepared set."""

from __future__ import annotations

import statistics
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.dataqa.entry import Entry
from tunegate.dataqa.row import Split
from tunegate.dataqa.summary import by_split, histogram, label_counts


def entry(split: Split, label: str | None, tokens: int) -> Entry:
    return Entry("a", 1, "0", split, "", "", "", "", label=label, tokens=tokens)


def test_splits_without_rows_are_zero() -> None:
    found = by_split([entry("train", "a", 3), entry("train", None, 6), entry("train", "a", 12)])
    assert found["train"] == {"rows": 3, "labels": {"a": 2}, "tokens": {"total": 21, "max": 12, "median": 6}}
    assert found["test"] == {"rows": 0, "labels": {}, "tokens": {"total": 0, "max": 0, "median": 0}}


SPLITS = st.sampled_from(["train", "validation", "test"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(SPLITS, st.sampled_from(["a", "b", None]), st.integers(0, 5000)), max_size=30))
def test_figures_equal_plain_python(rows: list[tuple[Split, str | None, int]]) -> None:
    entries = [entry(*row) for row in rows]
    for split, figures in by_split(entries).items():
        tokens = [count for of_row, _, count in rows if of_row == split]
        labels = [label for of_row, label, _ in rows if of_row == split and label]
        assert figures["rows"] == len(tokens)
        assert figures["labels"] == {label: labels.count(label) for label in sorted(set(labels))}
        median = statistics.median(tokens) if tokens else 0
        expected = {"total": sum(tokens), "max": max(tokens, default=0), "median": median}
        assert figures["tokens"] == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 100_000), max_size=50))
def test_every_row_is_in_one_bar(lengths: list[int]) -> None:
    bars = histogram(lengths)
    assert sum(count for _, _, count in bars) == len(lengths)
    for low, high, count in bars:
        assert count == sum(low <= length < high for length in lengths)
    assert all(one[1] == other[0] for one, other in pairwise(bars))


def test_usual_limits_are_borders() -> None:
    edges = {low for low, _, _ in histogram([10_000])}
    assert {0, 16, 256, 512, 1024, 2048, 4096, 8192} <= edges


def test_labels_are_counted_in_order() -> None:
    assert list(label_counts([entry("train", label, 1) for label in ("b", "a", None, "b")]).items()) == [
        ("a", 1),
        ("b", 2),
    ]
