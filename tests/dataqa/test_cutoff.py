"""Answers that look cut, and what needs no end mark."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunegate.dataqa.cutoff import cut_of

EN = (
    "Your order was sent on Monday and is on its way to you. The carrier brings parcels between nine and five. "
    "If nobody is at home, a card is left in your letter box."
)
DE = (
    "Ihre Bestellung wurde am Montag verschickt und ist unterwegs. Der Bote bringt Pakete zwischen neun und fünf. "
    "Wenn niemand zu Hause ist, liegt eine Karte im Briefkasten."
)

CUT = [
    (f"{EN} With that card you can pick the parcel up at the", "it ends with 'the'"),
    (
        f"{EN} With that card you can pick the parcel up at our shop in town when",
        "its last sentence has no end mark",
    ),
    (f"{DE} Mit dieser Karte holen Sie das Paket in der Filiale ab, und", "it ends with 'und'"),
    (
        f"{DE} Mit dieser Karte holen Sie das Paket in der Filiale ab, sobald Sie dort",
        "its last sentence has no end mark",
    ),
    (
        f"{EN} You can pick it up on any day of the week (also on Saturdays, when the shop",
        "a bracket is left open",
    ),
    ("Do this:\n1. Open the page.\n2.", "the last item of a list is empty"),
    ("Es gibt drei Gründe dafür:\n- Er ist neu.\n-", "the last item of a list is empty"),
    ("The three reasons are: 1.", "the last item of a list is empty"),
    ("Use this:\n```python\nprint(1)", "a code block is left open"),
    ("These are the three steps to get there:", "it ends with a colon and nothing after it"),
    ("Das sind die drei Schritte, die Sie gehen müssen:", "it ends with a colon and nothing after it"),
]
WHOLE = [
    EN,
    DE,
    "order_status",
    "Paris",
    "Anna Maria Meier",
    "How to return a parcel in five easy steps",
    "in about two weeks, I think, or three, depending on the weather and on the carrier",
    f"{EN}\n\n- by mail\n- by telephone",
    f"{EN}\n\n1. Open the page\n2. Press the button",
    f"{EN} More: https://example.com/help/where-is-my-parcel",
    f"{EN}\n\nBest regards,\nAnna",
    f"{EN}\n```python\nprint(1)\n```",
    f"{EN} \U0001f600",
    f"{EN} It was found by Anna Meier",
    f"{DE} Weitere Informationen zur Abholung",
    "The answer is: 1.",
    "He lives at number 1.",
    "It is version 2.",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    '{"topic": "refund"}',
    "def f(x):\n    return (x",
    "お問い合わせありがとうございます。ご注文の商品は月曜日に発送され、現在お届け先へ向かっています" * 3,
    "",
    "  \n ",
    ":-(",
]


@pytest.mark.parametrize(("text", "how"), CUT)
def test_a_cut_answer_is_named_with_its_sign(text: str, how: str) -> None:
    assert cut_of(text) == how


@pytest.mark.parametrize("text", WHOLE)
def test_a_whole_answer_is_not(text: str) -> None:
    assert cut_of(text) is None


@pytest.mark.shared
def test_half_of_cut_answers_are_found_and_hardly_a_whole_one(shared: Path) -> None:
    chats = (shared / "data" / "chat" / "covid_faq_de.jsonl").read_text(encoding="utf-8").splitlines()
    answers = [json.loads(line)["messages"][-1]["content"] for line in chats]
    assert sum(cut_of(answer) is not None for answer in answers) <= 0.01 * len(answers)
    long = [answer for answer in answers if len(answer) >= 300]
    halves = [" ".join(answer.split(" ")[: int(0.7 * len(answer.split(" ")))]) for answer in long]
    assert sum(cut_of(half) is not None for half in halves) >= 0.45 * len(long)
