"""Rows of one split that stand in another."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tunegate.dataqa.corpus import entry_of
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.leakage import count_leaks, find_leaks
from tunegate.dataqa.row import Row, Split
from tunegate.dataqa.settings import NearDuplicate

LONG = "Hello, I ordered two weeks ago and have not heard from you since, so can you tell me where my parcel"


def entry(prompt: str, split: Split, answer: str = "x") -> Entry:
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    found = entry_of(Row(json.dumps({"messages": messages}).encode(), f"{split}.jsonl"), split)
    assert found is not None
    return found


def test_the_same_prompt_leaks_whatever_its_answer() -> None:
    rows = [entry("Where is it?", "train", "a"), entry("where is it", "test", "b"), entry("Hi", "train")]
    (leak,) = find_leaks(rows, NearDuplicate())
    assert (leak.row, leak.partner, leak.rule, leak.similarity) == (0, 1, "LEAK001", 1.0)


def test_a_near_prompt_leaks_with_its_likeness() -> None:
    rows = [entry(f"{LONG} 4711 is?", "train"), entry(f"{LONG} 4712 is?", "validation")]
    (leak,) = find_leaks(rows, NearDuplicate(threshold=0.6))
    assert leak.rule == "LEAK002"
    assert 0.6 <= leak.similarity < 1


def test_the_less_protected_row_is_named() -> None:
    rows = [entry("Hi", "test"), entry("Hi", "validation"), entry("Hi", "train")]
    leaks = [(leak.row, leak.partner) for leak in find_leaks(rows, NearDuplicate())]
    assert leaks == [(1, 0), (2, 0), (2, 1)]
    assert count_leaks(rows, NearDuplicate()) == {
        "train-validation": 1,
        "train-test": 1,
        "validation-test": 1,
    }


def test_within_a_split_nothing_leaks() -> None:
    rows = [entry("Hi", "train"), entry("Hi", "train"), entry("Bye", "test")]
    assert find_leaks(rows, NearDuplicate()) == []
    assert find_leaks(rows[:2], NearDuplicate()) == []


def test_one_question_about_two_pictures_is_no_leak() -> None:
    def about(address: str, split: Split) -> Entry:
        parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": address}}]
        messages = [{"role": "user", "content": parts}, {"role": "assistant", "content": "A cat"}]
        found = entry_of(Row(json.dumps({"messages": messages}).encode()), split)
        assert found is not None
        return found

    rows = [about("https://a.example/1.png", "train"), about("https://a.example/2.png", "test")]
    assert find_leaks(rows, NearDuplicate()) == []
    assert len(find_leaks([rows[0], about("https://a.example/1.png", "test")], NearDuplicate())) == 1


@pytest.mark.shared
def test_the_known_leaks_of_a_real_set(shared: Path) -> None:
    rows: list[Entry] = []
    splits: tuple[Split, Split] = ("train", "validation")
    for split in splits:
        path = shared / "data" / "intent" / f"snips.{split}.jsonl"
        for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
            found = entry_of(Row(line, path.name, number), split)
            assert found is not None
            rows.append(found)
    counts = Counter(leak.rule for leak in find_leaks(rows, NearDuplicate()))
    leaked = {rows[leak.partner].prompt for leak in find_leaks(rows, NearDuplicate()) if leak.rule == "LEAK001"}
    assert len(leaked) >= 9  # 9 are known; two more differ in punctuation
    assert counts["LEAK001"] >= len(leaked)
