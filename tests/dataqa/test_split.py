"""The split: nothing lost, nothing torn apart, labels on every side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.dataqa.entry import Entry
from tunegate.dataqa.row import Split
from tunegate.dataqa.split import assign

SHARES: dict[Split, float] = {"validation": 0.1, "test": 0.1}


def entries(labels: Sequence[str]) -> list[Entry]:
    return [
        Entry("a", n, f"{n:016x}", "train", f"q{n}", label, "", "", label=label) for n, label in enumerate(labels)
    ]


def alone(rows: Sequence[Entry]) -> list[list[int]]:
    return [[place] for place in range(len(rows))]


def counts(rows: Sequence[Entry], made: Sequence[Split]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {"train": Counter(), "validation": Counter(), "test": Counter()}
    for row, split in zip(rows, made, strict=True):
        found[split][row.label or ""] += 1
    return found


def test_each_label_is_shared_out_alike() -> None:
    rows = entries(["a"] * 100 + ["b"] * 50 + ["c"] * 10)
    found = counts(rows, assign(rows, alone(rows), SHARES, stratify=True, seed=0))
    assert found["validation"] == {"a": 10, "b": 5, "c": 1}
    assert found["test"] == {"a": 10, "b": 5, "c": 1}


def test_a_label_that_occurs_once_stays_in_training() -> None:
    rows = entries(["a"] * 50 + ["rare"] + ["b"] * 50)
    for seed in range(5):
        assert assign(rows, alone(rows), SHARES, stratify=True, seed=seed)[50] == "train"


def test_small_classes_are_held_out_as_far_as_the_sides_allow() -> None:
    rows = entries([f"l{number % 20}" for number in range(80)])
    found = counts(rows, assign(rows, alone(rows), SHARES, stratify=True, seed=0))
    for side in ("validation", "test"):
        assert sum(found[side].values()) == 12  # half as much again as a tenth of 80
        assert max(found[side].values()) == 1


def test_without_stratification_only_the_share_counts() -> None:
    rows = entries([f"l{number}" for number in range(100)])
    made = assign(rows, alone(rows), {"validation": 0.2}, stratify=False, seed=0)
    assert Counter(made) == {"train": 80, "validation": 20}


def test_a_group_is_never_torn_apart_and_a_huge_one_stays_in_training() -> None:
    rows = entries(["a"] * 100)
    together = [list(range(60)), *([place] for place in range(60, 100))]
    made = assign(rows, together, SHARES, stratify=True, seed=0)
    assert set(made[:60]) == {"train"}
    assert Counter(made[60:])["test"] == 10


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_rows_leave_training_its_rows(count: int) -> None:
    rows = entries(["a"] * count)
    assert "train" in assign(rows, alone(rows), SHARES, stratify=True, seed=0)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), seed=st.integers(0, 3))
def test_properties_of_every_split(data: st.DataObject, seed: int) -> None:
    labels = data.draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=60))
    rows = entries(labels)
    numbers = data.draw(st.lists(st.integers(0, 20), min_size=len(rows), max_size=len(rows)))
    together = [[p for p, g in enumerate(numbers) if g == number] for number in sorted(set(numbers))]
    made = assign(rows, together, SHARES, stratify=True, seed=seed)
    assert len(made) == len(rows)
    assert all(len({made[place] for place in group}) == 1 for group in together)
    found = counts(rows, made)
    assert all(found["train"][label] for label in set(labels)), "every label can be learned"
    assert made == assign(rows, list(reversed(together)), SHARES, stratify=True, seed=seed)
    largest = max(map(len, together))
    for side in ("validation", "test"):
        assert sum(found[side].values()) <= max(1.5 * 0.1 * len(rows) + 4, largest)


def test_the_seed_decides() -> None:
    rows = entries(["a"] * 60 + ["b"] * 60)
    made = [assign(rows, alone(rows), SHARES, stratify=True, seed=seed) for seed in (0, 0, 1)]
    assert made[0] == made[1] != made[2]
