"""Whether answers are a closed set of names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunegate.dataqa.entry import Entry
from tunegate.dataqa.labels import find_labels, labelled


def test_names_that_come_again_are_labels() -> None:
    assert find_labels(["spam", "ham ", "ham", "spam", "ham", "ham"]) == ("ham", "spam")


def test_a_label_that_occurs_once_is_one() -> None:
    assert find_labels(["a"] * 6 + ["b"] * 6 + ["c"]) == ("a", "b", "c")


@pytest.mark.parametrize(
    "answers",
    [
        [],
        ["yes"] * 9,
        ["a", "b", "c", "d"],
        [f"answer {number}" for number in range(100)],
        ["yes"] * 5 + ["no"] * 5 + ["a long answer that says " + "more and more " * 10],
        ["line\nbreak", "other\nbreak"] * 10,
        [str(number % 500) for number in range(1400)],
        [str(number) for number in range(30)] + ["a"] * 70,
    ],
)
def test_open_answers_are_not(answers: list[str]) -> None:
    assert find_labels(answers) is None


def test_a_little_dirt_does_not_hide_the_labels() -> None:
    long = "I am sorry, but I cannot help you with that, as it would not be right. " * 2
    assert find_labels(["a"] * 60 + ["b"] * 60 + [long]) == ("a", "b")


def test_none_and_paths() -> None:
    assert find_labels(["a", "b"] * 9, "none") is None
    assert find_labels(["x", "y", "x"], "metadata.intent") == ("x", "y")
    assert find_labels([], "metadata.intent") is None


def entry(answer: str, label: str | None = None) -> Entry:
    return Entry("a", 1, "0", "train", "?", answer, "", "", label=label)


def test_rows_get_their_label() -> None:
    long = "something else altogether, which is far longer than any name of a class would be"
    entries, labels = labelled([entry(answer) for answer in [" a", "b"] * 30 + [long]])
    assert labels == ("a", "b")
    assert [found.label for found in entries] == ["a", "b"] * 30 + [None]


def test_rows_of_an_open_set_have_none() -> None:
    entries, labels = labelled([entry("One."), entry("Two.")])
    assert labels is None
    assert [found.label for found in entries] == [None, None]


def test_labels_of_a_path_are_brought_along() -> None:
    entries, labels = labelled([entry("One.", "x"), entry("Two.", None)], "intent")
    assert labels == ("x",)
    assert [found.label for found in entries] == ["x", None]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("intent/banking77.train", 77),
        ("intent/sms_spam", 2),
        ("intent/snips.validation", 7),
        ("chat/covid_faq_de", None),
        ("chat/fastchat_dummy", None),
        ("toolcall/glaive_en", None),
    ],
)
def test_real_sets(shared: Path, name: str, count: int | None) -> None:
    lines = (shared / "data" / f"{name}.jsonl").read_text(encoding="utf-8").split("\n")
    answers = [json.loads(line)["messages"][-1].get("content") or "" for line in lines if line]
    labels = find_labels(answers)
    assert (labels and len(labels)) == count
