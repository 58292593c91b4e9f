"""Repetition: loops and doubled texts, and prose that is as it should be."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.dataqa.repetition import DUPLICATE_SHARES, TOP_SHARES, repetition_in

PROSE = """
Your order was sent on Monday and is on its way to you. The carrier brings parcels between nine and five,
and rings twice. If nobody is at home, a card is left in your letter box, with which you can pick the parcel
up at our shop in town. It is kept there for two weeks. After that it goes back to us, and we give you the
money that you paid, without the price of sending it. Should you want it after all, order again, as nothing
is kept for later. For gifts there is a longer term: tell us on the page of the order, below the address,
that it is one.
"""
VERSE = "Row, row, row your boat, gently down the stream. Merrily, merrily, merrily, merrily, life is but a dream."


def test_the_bounds_are_those_of_the_paper() -> None:
    # Rae et al. 2021, Scaling Language Models: Methods, Analysis & Insights from Training Gopher, table A1
    assert TOP_SHARES == {2: 0.20, 3: 0.18, 4: 0.16}
    assert DUPLICATE_SHARES == {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}


@pytest.mark.parametrize(
    "text",
    [
        "Yes yes yes yes yes yes yes yes.",
        "ja, ja, ja, ja, ja, ja, ja, ja, ja, ja",
        "I do not know. " * 30,
        "Ich weiß es leider nicht. " * 30,
        f"{PROSE} {PROSE}",
        f"{PROSE} " + "and then it comes to you, " * 20,
        "これは例です。" * 20,
    ],
)
def test_a_loop_is_named(text: str) -> None:
    assert repetition_in(text)


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        VERSE,
        "No, no, no!",
        "ha ha ha",
        "1 0 0 0 1 0 0 0 1 0 0 0 1 0 0 0 1",
        "| a | b |\n" * 40,
        "```\n" + "x = x + 1\n" * 60 + "```\n" + PROSE,
        "\n".join(f"- {number} + {number + 1} = {2 * number + 1}" for number in range(40)),
        "",
        " " * 1000,
        "a" * 3000,
    ],
)
def test_prose_refrains_numbers_tables_and_code_are_not(text: str) -> None:
    assert repetition_in(text) is None


@given(st.text(max_size=400))
def test_any_text_is_judged_and_twice_the_same(text: str) -> None:
    assert repetition_in(text) == repetition_in(text)


def test_random_sentences_do_not_repeat() -> None:
    chance = random.Random(0)
    words = [f"{chance.choice('bdfgklmnprst')}{chance.choice('aeiou')}{number}" for number in range(2000)]
    for _ in range(200):
        assert repetition_in(" ".join(chance.choices(words, k=chance.randint(5, 300)))) is None
