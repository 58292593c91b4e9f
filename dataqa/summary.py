"""The figures of a prepared set: rows, labels and tokens by split, and the histogram of lengths."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from tunegate.core.extras import need
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.leakage import SPLITS

# The first bar of the histogram ends here, in tokens.
_FIRST = 16


def by_split(entries: Sequence[Entry]) -> dict[str, dict[str, Any]]:
    """Return rows, rows by label, and total, longest and median tokens of each split; zero where it is empty."""
    polars = need("polars", "data")
    frame = polars.DataFrame(
        {
            "split": [entry.split for entry in entries],
            "label": [entry.label for entry in entries],
            "tokens": [entry.tokens for entry in entries],
        },
        schema={"split": polars.String, "label": polars.String, "tokens": polars.Int64},
    )
    tokens = polars.col("tokens")
    figures = frame.group_by("split").agg(
        rows=polars.len(), total=tokens.sum(), max=tokens.max(), median=tokens.median()
    )
    labels = frame.drop_nulls("label").group_by("split", "label").len().sort("label")
    found: dict[str, dict[str, Any]] = {
        split: {"rows": 0, "labels": {}, "tokens": {"total": 0, "max": 0, "median": 0}} for split in SPLITS
    }
    for row in figures.iter_rows(named=True):
        lengths = {name: row[name] for name in ("total", "max", "median")}
        found[row["split"]] = {"rows": row["rows"], "labels": {}, "tokens": lengths}
    for split, label, count in labels.iter_rows():
        found[split]["labels"][label] = count
    return found


def histogram(lengths: Sequence[int]) -> list[list[int]]:
    """Return [low, high, count] of bars, the first from 0 on; high is not in the bar.

    The borders are powers of two and what lies half-way between them: a few very long rows do not press all others
    into one bar.
    """
    if not lengths:
        return []
    edges = [0, _FIRST]
    while edges[-1] <= max(lengths):
        edges.append(edges[-1] * 3 // 2 if edges[-1].bit_count() == 1 else edges[-1] * 4 // 3)
    counts = [0] * (len(edges) - 1)
    for length in lengths:
        counts[bisect_right(edges, length) - 1] += 1
    return [[low, high, count] for low, high, count in zip(edges, edges[1:], counts, strict=False)]


def label_counts(entries: Sequence[Entry]) -> Mapping[str, int]:
    """Return the number of rows of each label, sorted by label."""
    found: dict[str, int] = {}
    for label in sorted(entry.label for entry in entries if entry.label is not None):
        found[label] = found.get(label, 0) + 1
    return found
