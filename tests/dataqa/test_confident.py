"""Labels and texts that do not fit their set."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tunegate.dataqa.confident import doubts, outliers

TOPICS = {
    "parcel": ("parcel", "delivery", "carrier", "box", "Paket", "Lieferung"),
    "money": ("money", "refund", "card", "bill", "Geld", "Rechnung"),
    "login": ("password", "account", "mail", "code", "Kennwort", "Konto"),
}
OPENINGS = ("Where is my {}?", "I have a question about the {}.", "Wo ist {}?", "Please look at the {} again.")


def made(rows: int) -> tuple[list[str], list[str]]:
    chance = random.Random(0)
    labels = [chance.choice(sorted(TOPICS)) for _ in range(rows)]
    return [chance.choice(OPENINGS).format(chance.choice(TOPICS[label])) for label in labels], labels


def test_swapped_labels_are_doubted_and_the_right_one_is_named() -> None:
    texts, labels = made(600)
    swapped = {place: next(name for name in TOPICS if name != labels[place]) for place in range(0, 600, 50)}
    found = doubts(texts, [swapped.get(place, label) for place, label in enumerate(labels)])
    assert {doubt.place for doubt in found} <= set(swapped)
    assert len(found) >= 0.5 * len(swapped)
    assert all(doubt.likelier == labels[doubt.place] for doubt in found)
    assert all(0 <= doubt.own < doubt.probability <= 1 for doubt in found)


def test_a_clean_set_has_none_and_the_answer_is_the_same_twice() -> None:
    texts, labels = made(300)
    assert doubts(texts, labels) == doubts(texts, labels) == []


def test_rare_classes_take_no_part() -> None:
    texts, labels = made(100)
    assert doubts([*texts, "Where is my parcel?"], [*labels, "other"]) == []


@pytest.mark.parametrize(("texts", "labels"), [([], []), (["a"] * 9, ["x"] * 9), ([""] * 12, ["x", "y"] * 6)])
def test_nothing_to_learn_is_nothing_to_doubt(texts: list[str], labels: list[str]) -> None:
    assert doubts(texts, labels) == []


def test_the_text_unlike_all_others_is_an_outlier() -> None:
    texts, _ = made(200)
    found = outliers([*texts, "Qzx vbn plk wrt!"])
    assert [place for place, _ in found] == [200]
    assert outliers(texts) == []
    assert outliers(["one"] * 5) == outliers([""] * 100) == []


@pytest.mark.shared
def test_planted_noise_in_a_real_set(shared: Path) -> None:
    lines = (shared / "data" / "intent" / "snips.train.jsonl").read_text(encoding="utf-8").splitlines()
    chats = [json.loads(line)["messages"] for line in lines]
    texts, labels = [chat[0]["content"] for chat in chats], [chat[-1]["content"] for chat in chats]
    assert len(doubts(texts, labels)) <= 0.01 * len(labels)
    chance = random.Random(1)
    wrong = set(chance.sample(range(len(labels)), int(0.03 * len(labels))))
    names = sorted(set(labels))
    noisy = [
        chance.choice([name for name in names if name != label]) if place in wrong else label
        for place, label in enumerate(labels)
    ]
    found = {doubt.place for doubt in doubts(texts, noisy)}
    assert len(found & wrong) >= 0.8 * len(wrong)
    assert len(found & wrong) >= 0.85 * len(found)
