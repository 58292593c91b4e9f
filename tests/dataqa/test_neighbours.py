"""The search for pairs that are alike misses none and invents none."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.dataqa import neighbours as module
from tunegate.dataqa.neighbours import Neighbours
from tunegate.dataqa.shingles import similarity


def all_pairs(texts: list[str], threshold: float, kind: str) -> set[tuple[int, int]]:
    return {
        (one, other)
        for one, other in combinations(range(len(texts)), 2)
        if similarity(texts[one], texts[other], kind) >= threshold
    }


WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f"]), max_size=14).map(" ".join)
FEW = st.lists(WORDS | st.text(max_size=8) | st.just("日本語の文章です日本語の文章"), max_size=12)


@pytest.mark.parametrize("small", [True, False], ids=["plain", "numpy"])
@settings(max_examples=150, deadline=None)
@given(texts=FEW, threshold=st.sampled_from([0.3, 0.5, 0.8, 0.9, 1.0]), kind=st.sampled_from(["word5", "char5"]))
def test_no_pair_is_missed_and_none_invented(small: bool, texts: list[str], threshold: float, kind: str) -> None:
    before = module._SMALL, module._TINY
    module._SMALL = module._TINY = 10**9 if small else 0
    try:
        found = list(Neighbours(texts, threshold, kind).pairs())
    finally:
        module._SMALL, module._TINY = before
    assert {(one, other) for one, other, _ in found} == all_pairs(texts, threshold, kind)
    for one, other, likeness in found:
        assert likeness == similarity(texts[one], texts[other], kind)


def test_many_copies_of_a_template_are_found() -> None:
    texts = [
        f"please tell me today where my order number {number} is and when it comes to me" for number in range(40)
    ]
    assert len(list(Neighbours(texts, 0.3).pairs())) == 40 * 39 // 2


@pytest.mark.shared
@pytest.mark.parametrize("threshold", [0.6, 0.7, 0.8, 0.9, 1.0])
@pytest.mark.parametrize("small", [True, False], ids=["plain", "numpy"])
def test_real_planted_pairs(shared: Path, threshold: float, small: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_SMALL", "_TINY"):
        monkeypatch.setattr(module, name, 10**9 if small else 0)
    folder = shared / "data" / "neardup"
    rows = [json.loads(line) for line in (folder / "banking77_planted.jsonl").read_text().splitlines()]
    texts = ["\n".join(m["content"] for m in row["messages"] if m["role"] == "user") for row in rows]
    lines = (folder / "banking77_planted.pairs.jsonl").read_text().splitlines()
    truth = {
        (pair["a"] - 1, pair["b"] - 1): pair["jaccard_c5"]
        for pair in map(json.loads, lines)
        if pair["jaccard_c5"] >= threshold
    }
    found = {(one, other): likeness for one, other, likeness in Neighbours(texts, threshold, "char5").pairs()}
    assert found.keys() == truth.keys()
    for pair, likeness in found.items():
        assert likeness == pytest.approx(truth[pair], abs=1e-4)
